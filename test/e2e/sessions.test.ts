/** `mmm sessions` as its user types it (spec 1, 7). */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import type { CliResult } from "../support/run-cli.ts";

let kitchen: Kitchen;

beforeEach(async () => {
  kitchen = await openKitchen();
});

afterEach(async () => {
  await kitchen.dispose();
});

const TWO = `
max_iterations: 1
steps:
- shell: "echo one; echo 1 > one.txt"
  id: first
- claude: "say"
- shell: "echo \\"$(printf '\\\\033[2Jtwo')\\""
`;

async function json(...args: readonly string[]): Promise<unknown> {
  const { stdout, stderr, code } = await kitchen.mmm(["sessions", ...args, "--json"]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

function name(): string {
  return path.basename(kitchen.session());
}

/** Begins a session whose first step waits, and sends the signal when it has begun to. */
async function stopped(signal: NodeJS.Signals, playbook = HALF): Promise<CliResult> {
  let pid = -1;
  return kitchen.cook(playbook, ["-v"], {
    onStart: (child) => (pid = child.pid),
    onStdout: (text) => {
      if (/^\W*READY$/m.test(text)) process.kill(pid, signal);
    },
  });
}

const HALF = `
- shell: "echo done > done.txt"
- shell: |
    echo half > half.txt
    echo changed >> README.md
    mkdir sub && printf 'x' > "sub/a b.txt" && chmod +x "sub/a b.txt"
    echo READY
    exec sleep 600
`;

describe("mmm sessions ls and show", () => {
  test("list what was cooked, newest first, and tell its course", async () => {
    expect(await kitchen.cook(TWO)).toMatchObject({ code: 0 });
    const first = name();
    expect(await kitchen.cook('- shell: "exit 3"')).toMatchObject({ code: 1 });

    const table = await kitchen.mmm(["sessions"]);
    const list = await json();
    const shown = await kitchen.mmm(["sessions", "show", first]);
    const object = await json("show", first);

    expect(table).toMatchObject({ code: 0, stderr: "" });
    expect(table.stdout.split("\n").map((line) => line.split(/ {2,}/).slice(1, 3))).toEqual([
      ["STATUS", "STOPPED BY"],
      ["failed", "step failed"],
      ["completed", "iterations done"],
      [],
    ]);
    expect(list).toMatchObject([
      { status: "failed", stop_reason: "step-failed", exit_code: 1, resumable: true },
      { name: first, status: "completed", commits: 1, steps: 3, playbook: "pb.yml" },
    ]);
    expect(shown.stdout).toMatch(/1 echo one; echo 1 > one\.txt: 1 commit, logs\/0001-1\.log/);
    expect(object).toMatchObject({
      session: { name: first, directory: path.join(kitchen.repo.root, ".mmm/sessions", first) },
      timeline: [{ type: "iteration" }, { step: "1", id: "first" }, { kind: "claude" }, {}],
      totals: { steps: 3, commits: 1, calls: 1 },
      damaged_lines: 0,
    });
  });

  test("the newest is shown, a unique beginning is enough, and a wrong name is told the nearest", async () => {
    await kitchen.cook('- shell: "true"');
    const one = name();
    await kitchen.repo.write("other.yml", '- shell: "true"');
    await kitchen.mmm(["cook", "other.yml", "--allow-dirty"]);

    const newest = await kitchen.mmm(["sessions", "show"]);
    const begun = await kitchen.mmm(["sessions", "show", "mmm-pb"]);
    const both = await kitchen.mmm(["sessions", "show", "mmm-"]);
    const wrong = await kitchen.mmm(["sessions", "show", one.replace("pb", "bp")]);
    const word = await kitchen.mmm(["sessions", "shwo"]);

    expect(newest.stdout).toMatch(/^mmm-other-/);
    expect(begun.stdout).toMatch(new RegExp(`^${one}: completed`));
    expect(both).toMatchObject({ code: 2 });
    expect(both.stderr).toContain("2 sessions begin with mmm-");
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain(`did you mean ${one}?`);
    expect(word).toMatchObject({ code: 2 });
    expect(word.stderr).toContain("did you mean show?");
  });

  test("damage is shown, not a crash", async () => {
    await kitchen.cook('- shell: "true"');
    const folder = kitchen.session();
    writeFileSync(path.join(folder, "session.json"), '{"version":1,');
    const journal = path.join(folder, "journal.jsonl");
    writeFileSync(journal, `${readFileSync(journal, "utf8").replace('{"v":1,"seq":2', "{{")}{"v"`);
    mkdirSync(path.join(folder, "..", "empty"));

    const list = await json();
    const shown = await kitchen.mmm(["sessions", "show", path.basename(folder)]);
    const empty = await kitchen.mmm(["sessions", "show", "empty"]);

    expect(list).toMatchObject([{ status: "damaged" }, { name: "empty", status: "damaged" }]);
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toContain("1 line of its journal could not be read");
    expect(empty).toMatchObject({ code: 0 });
  });

  test("without a session or a repository there is a sentence", async () => {
    const none = await kitchen.mmm(["sessions"]);
    const noneShown = await kitchen.mmm(["sessions", "show"]);
    const outside = await kitchen.mmm(["sessions"], { cwd: kitchen.repo.base });

    expect(none).toMatchObject({ code: 0, stdout: "" });
    expect(await json()).toEqual([]);
    expect(none.stderr).toContain("no sessions in this repository yet");
    expect(noneShown).toMatchObject({ code: 2 });
    expect(outside).toMatchObject({ code: 3 });
    expect(outside.stderr).toContain("is not in a git repository");
  });

  test("a linked worktree has the main repository's sessions, and its own lock counts (spec 7)", async () => {
    await kitchen.cook('- shell: "true"');
    const linked = path.join(kitchen.repo.base, "linked");
    await kitchen.repo.git("worktree", "add", "-q", linked);
    await kitchen.repo.write("../linked/wait.yml", '- shell: "echo READY; read x < ../pipe"');
    const pipe = path.join(kitchen.repo.base, "pipe");
    execFileSync("mkfifo", [pipe]);

    const seen: Promise<CliResult>[] = [];
    const cooked = await kitchen.mmm(["cook", "wait.yml", "-v"], {
      cwd: linked,
      onStdout: (text) => {
        if (!/^\W*READY$/m.test(text) || seen.length > 0) return;
        const look = kitchen.mmm(["sessions", "--json"]);
        seen.push(look.finally(() => writeFileSync(pipe, "go\n")));
      },
    });
    const fromLinked = await kitchen.mmm(["sessions", "--json"], { cwd: linked });

    expect(cooked).toMatchObject({ code: 0 });
    const [live] = await Promise.all(seen);
    expect(JSON.parse(live?.stdout ?? "")).toMatchObject([
      { status: "running" },
      { status: "completed" },
    ]);
    expect(JSON.parse(fromLinked.stdout)).toMatchObject([
      { status: "completed" },
      { status: "completed" },
    ]);
  });
});

test("a session that was stopped and resumed is one session, with both its parts", async () => {
  const gate = path.join(kitchen.repo.base, "gate");
  await stopped(
    "SIGINT",
    `- shell: "echo one > one.txt"\n- shell: |\n    echo READY\n    [ -e ${gate} ] || exec sleep 600\n`,
  );
  writeFileSync(gate, "");
  expect(await kitchen.mmm(["resume"])).toMatchObject({ code: 0 });

  const shown = await kitchen.mmm(["sessions", "show"]);
  const { timeline } = (await json("show")) as {
    readonly timeline: readonly { readonly type: string }[];
  };

  expect(await json()).toMatchObject([{ status: "completed", steps: 2, commits: 1 }]);
  expect(timeline.filter(({ type }) => type === "resumed")).toHaveLength(1);
  expect(timeline.at(-1)).toMatchObject({ step: "2", conclusion: "succeeded" });
  expect(shown.stdout).toMatch(/in all: 1 iteration, 2 steps, 1 commit\n$/);
});

describe("mmm sessions logs", () => {
  test("list what there is, and print a step's log byte for byte into a pipe", async () => {
    await kitchen.cook(TWO);

    const listed = await kitchen.mmm(["sessions", "logs"]);
    const byId = await kitchen.mmm(["sessions", "logs", name(), "first"]);
    const byFile = await kitchen.mmm(["sessions", "logs", name(), "0003-3.log"]);
    const wrong = await kitchen.mmm(["sessions", "logs", name(), "frist"]);

    expect(listed.stdout.split("\n")).toHaveLength(5);
    expect(listed.stdout).toMatch(/^logs\/0001-1\.log +4 bytes {2}1 echo one/m);
    expect(byId).toMatchObject({ code: 0, stdout: "one\n" });
    expect(byFile).toMatchObject({ code: 0, stdout: "\u001b[2Jtwo\n" });
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain("did you mean first?");
    expect(await json("logs")).toMatchObject([{ step: "1", bytes: 4 }, { kind: "claude" }, {}]);
  });

  test("--follow prints what comes until the session ends", async () => {
    const gate = path.join(kitchen.repo.base, "gate");
    const playbook = `
- shell: "echo early"
- shell: |
    echo before
    echo READY
    while [ ! -e ${gate} ]; do sleep 0.05; done
    echo after
- shell: "echo last"
`;
    const followers: Promise<CliResult>[] = [];

    const cooked = await kitchen.cook(playbook, ["-v"], {
      onStdout: (text) => {
        if (!/^\W*READY$/m.test(text) || followers.length > 0) return;
        const onStdout = (seen: string): void => {
          if (seen.includes("READY")) writeFileSync(gate, "");
        };
        followers.push(kitchen.mmm(["sessions", "logs", "--follow"], { onStdout }));
      },
    });
    const [followed] = await Promise.all(followers);

    expect(cooked).toMatchObject({ code: 0 });
    expect(followed).toMatchObject({ code: 0, stdout: "before\nREADY\nafter\nlast\n" });
    expect(followed?.stderr).toMatch(/==> 2 .*\n==> 3 .*\nmmm-pb-\d+: (?:ended|completed)\n/);
  });

  test("--follow ends when mmm is killed, and says so", async () => {
    let pid = -1;
    const followers: Promise<CliResult>[] = [];
    await kitchen.cook('- shell: "echo READY; exec sleep 600"', ["-v"], {
      onStart: (child) => (pid = child.pid),
      onStdout: (text) => {
        if (!/^\W*READY$/m.test(text) || followers.length > 0) return;
        const onStdout = (seen: string): void => {
          if (seen.includes("READY")) process.kill(pid, "SIGKILL");
        };
        followers.push(kitchen.mmm(["sessions", "logs", "--follow"], { onStdout }));
      },
    });
    const [followed] = await Promise.all(followers);

    expect(followed).toMatchObject({ code: 0, stdout: "READY\n" });
    expect(followed?.stderr).toMatch(/: killed \(resumable\)\n$/);
    // Ends what was left running.
    expect(await kitchen.mmm(["sessions", "drop", name()])).toMatchObject({ code: 0 });
  });

  test("--follow of a session that is over prints its last log and ends", async () => {
    await kitchen.cook(TWO);

    const followed = await kitchen.mmm(["sessions", "logs", "-f"]);

    expect(followed).toMatchObject({ code: 0, stdout: "\u001b[2Jtwo\n" });
    expect(followed.stderr).toMatch(/: completed\n$/);
  });
});

describe("mmm sessions drop", () => {
  test.each([
    { signal: "SIGINT", status: "interrupted", words: /^dropped mmm-pb/ },
    { signal: "SIGKILL", status: "killed", words: /^dropped mmm-pb/ },
  ] as const)(
    "of a session that was $status puts aside what lies there, and a new cook works",
    async ({ signal, status, words }) => {
      await stopped(signal);
      const session = name();
      expect(await json()).toMatchObject([{ status, resumable: true }]);

      const dropped = await kitchen.mmm(["sessions", "drop", session]);

      expect(dropped, dropped.stderr).toMatchObject({ code: 0 });
      expect(dropped.stdout).toMatch(words);
      expect(await kitchen.repo.git("status", "--porcelain", "--", ":!pb.yml")).toBe("");
      expect(await kitchen.repo.read("done.txt")).toBe("done\n");
      expect(existsSync(path.join(kitchen.repo.root, ".mmm/session.lock"))).toBe(false);
      expect(await json()).toMatchObject([{ status: "dropped", resumable: false }]);
      const state: unknown = JSON.parse(await kitchen.repo.read(".mmm/state.json"));
      expect(state).toMatchObject({ running: [] });
      // The printed line brings back exactly what lay there.
      const line = /^ {4}(git restore .*)$/m.exec(dropped.stdout)?.[1] ?? "false";
      execFileSync("sh", ["-c", line], { cwd: kitchen.repo.root, env: kitchen.repo.env });
      expect(await kitchen.repo.read("half.txt")).toBe("half\n");
      expect(await kitchen.repo.read("README.md")).toBe("hello\nchanged\n");
      expect(await kitchen.repo.git("ls-files", "-o", "--", "sub")).toBe("sub/a b.txt");
      await kitchen.repo.git("add", "sub");
      expect(await kitchen.repo.git("ls-files", "-s", "sub")).toMatch(/^100755 /);
      await kitchen.repo.git("reset", "-q", "--hard");
      await kitchen.repo.git("clean", "-q", "-fd", "-e", "pb.yml");
      expect(await kitchen.cook('- shell: "true"')).toMatchObject({ code: 0 });
      expect(await kitchen.repo.git("fsck", "--no-dangling")).toBe("");
    },
  );

  test("leaves playbook and .claude as they are, and is safe to repeat", async () => {
    await stopped("SIGINT");
    await kitchen.repo.write(".claude/commands/mine.md", "mine\n");

    const first = (await json("drop", name())) as { readonly kept: string };
    const again = await kitchen.mmm(["sessions", "drop", name()]);

    expect(first).toMatchObject({ already_dropped: false, left_alone: null });
    expect(first.kept).toBe(`refs/mmm/failed/${name()}/1`);
    expect(await kitchen.repo.read(".claude/commands/mine.md")).toBe("mine\n");
    expect(await kitchen.repo.read("pb.yml")).toBe(HALF);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("was dropped before");
    expect(await kitchen.repo.git("for-each-ref", "--format=%(refname)", "refs/mmm")).toBe(
      first.kept,
    );
  });

  test("leaves files that --allow-dirty let be byte for byte as they are (spec 5)", async () => {
    await kitchen.repo.write("mine.txt", "mine\n");
    await kitchen.repo.git("add", "mine.txt");
    let pid = -1;
    await kitchen.cook(HALF, ["-v", "--allow-dirty"], {
      onStart: (child) => (pid = child.pid),
      onStdout: (text) => {
        if (/^\W*READY$/m.test(text)) process.kill(pid, "SIGINT");
      },
    });

    const dropped = await kitchen.mmm(["sessions", "drop", name()]);

    expect(dropped).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("mine.txt")).toBe("mine\n");
    expect(await kitchen.repo.git("status", "--porcelain", "--", ":!pb.yml")).toBe("A  mine.txt");
  });

  test("a tree that is on another branch by now is nobody's to clean", async () => {
    await stopped("SIGINT");
    await kitchen.repo.git("switch", "-q", "-c", "elsewhere");

    const dropped = await kitchen.mmm(["sessions", "drop", name()]);

    expect(dropped).toMatchObject({ code: 0 });
    expect(dropped.stdout).toContain("moved on from main to elsewhere");
    expect(await kitchen.repo.read("half.txt")).toBe("half\n");
    expect(await json()).toMatchObject([{ status: "dropped" }]);
  });

  test("a tree in which a session began since is that session's: what lies there is left alone", async () => {
    await stopped("SIGINT");
    const session = name();
    await kitchen.repo.git("stash", "-q", "-u");
    expect(await kitchen.cook('- shell: "true"')).toMatchObject({ code: 0 });
    await kitchen.repo.write("mine.txt", "mine\n");

    const dropped = await kitchen.mmm(["sessions", "drop", session]);

    expect(dropped).toMatchObject({ code: 0 });
    expect(dropped.stdout).toContain(`${name()} ran in ${kitchen.repo.root} after it`);
    expect(await kitchen.repo.read("mine.txt")).toBe("mine\n");
    expect(await json()).toMatchObject([{ status: "completed" }, { status: "dropped" }]);
  });

  test("a session without commits undid nothing, and dropping it undoes nothing either (spec 5)", async () => {
    await stopped("SIGINT", `commit: off\nsteps:${HALF.replaceAll("\n", "\n  ")}`);

    const dropped = await kitchen.mmm(["sessions", "drop", name()]);

    expect(dropped).toMatchObject({ code: 0 });
    expect(dropped.stdout).toContain("it ran without commits");
    expect(await kitchen.repo.read("done.txt")).toBe("done\n");
    expect(await kitchen.repo.read("half.txt")).toBe("half\n");
  });

  test("of a session whose session.json is damaged keeps the damaged file", async () => {
    await stopped("SIGKILL");
    const file = path.join(kitchen.session(), "session.json");
    writeFileSync(file, "{");

    const dropped = await kitchen.mmm(["sessions", "drop", name()]);

    expect(dropped).toMatchObject({ code: 0 });
    expect(readFileSync(`${file}.damaged-1`, "utf8")).toBe("{");
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ status: "dropped" });
  });

  test("a session that was finished, or runs, is refused", async () => {
    await kitchen.cook('- shell: "true"');
    const finished = await kitchen.mmm(["sessions", "drop", name()]);

    expect(finished).toMatchObject({ code: 3 });
    expect(finished.stderr).toContain("is completed: only a session that was stopped");
  });
});

describe("mmm sessions rm", () => {
  test("removes folder and refs, says what was freed, and is safe to repeat", async () => {
    await kitchen.cook('- shell: "echo x > x.txt; exit 3"');
    const session = name();
    expect(await kitchen.repo.git("for-each-ref", "refs/mmm")).not.toBe("");

    const tried = await kitchen.mmm(["sessions", "rm", session, "--dry-run"]);
    expect(existsSync(kitchen.session())).toBe(true);
    const removed = await kitchen.mmm(["sessions", "rm", session]);
    const again = await kitchen.mmm(["sessions", "rm", session]);

    expect(tried.stdout).toMatch(
      /^would remove mmm-pb-\d+ \([\d.]+ kB, 2 refs\)\n1 session, would/,
    );
    expect(removed).toMatchObject({ code: 0 });
    expect(removed.stdout).toMatch(/^removed mmm-pb-\d+ .*\n1 session, freed [\d.]+ kB\n$/);
    expect(await kitchen.repo.git("for-each-ref", "refs/mmm")).toBe("");
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("nothing to remove");
    expect(await json()).toEqual([]);
  });

  test("refs that an rm left behind when it was cut short go with the next", async () => {
    await kitchen.repo.git("update-ref", "refs/mmm/snap/mmm-gone-1", "HEAD");
    await kitchen.repo.git("update-ref", "refs/mmm/snap/mmm-gone-12", "HEAD");

    expect(await json("rm", "mmm-gone-1")).toMatchObject({
      removed: [{ name: "mmm-gone-1", refs: ["refs/mmm/snap/mmm-gone-1"] }],
      absent: [],
    });
    expect(await kitchen.repo.git("for-each-ref", "--format=%(refname)", "refs/mmm")).toBe(
      "refs/mmm/snap/mmm-gone-12",
    );
  });

  test("--older-than takes what ended longer ago; what can be resumed stays without --force", async () => {
    await kitchen.cook('- shell: "true"');
    const old = kitchen.session();
    const place = path.join(old, "..");
    const write = (session: string, content: object): void => {
      mkdirSync(path.join(place, session));
      writeFileSync(
        path.join(place, session, "session.json"),
        JSON.stringify({ version: 1, name: session, ...content }),
      );
    };
    write("mmm-old-1", { status: "completed", ended_at: "2020-01-01T00:00:00.000Z" });
    write("mmm-old-2", { status: "interrupted", ended_at: "2020-01-01T00:00:00.000Z" });
    write("mmm-killed-1600000000", { status: "running" });

    const first = await json("rm", "--older-than", "30d");
    const named = await kitchen.mmm(["sessions", "rm", "mmm-old-2", path.basename(old)]);
    const left = (await json()) as readonly { readonly name: string }[];
    const forced = await json("rm", "--older-than", "30d", "--force");

    expect(first).toMatchObject({
      removed: [{ name: "mmm-old-1" }],
      kept: [{ name: "mmm-killed-1600000000" }, { name: "mmm-old-2" }],
    });
    expect(named).toMatchObject({ code: 3 });
    expect(named.stderr).toContain("--force");
    expect(left).toHaveLength(3);
    expect(forced).toMatchObject({
      removed: [{ name: "mmm-killed-1600000000" }, { name: "mmm-old-2" }],
      kept: [],
    });
    expect(await json()).toMatchObject([{ name: path.basename(old) }]);
  });

  test("a clock that was put back while it ran makes a session no older", async () => {
    await kitchen.cook('- shell: "true"');
    const file = path.join(kitchen.session(), "session.json");
    const told = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...told, ended_at: "2020-01-01T00:00:00.000Z" }));

    expect(await json("rm", "--older-than", "30d")).toMatchObject({ removed: [], kept: [] });
  });

  test.each([
    [["rm"], "was not told which"],
    [["rm", "x", "--older-than", "1d"], "exclude each other"],
    [["rm", "--older-than", "soon"], "30d"],
    [["rm", "--older-than", "-1d"], "30d"],
  ])("%j is refused: nothing is removed by accident", async (args, words) => {
    const refused = await kitchen.mmm(["sessions", ...args]);

    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain(words);
  });

  test("a name cannot lead out of the folder", async () => {
    await kitchen.cook('- shell: "true"');
    await kitchen.repo.write(".mmm/mine/session.json", '{"version":1,"status":"completed"}');

    await kitchen.mmm(["sessions", "rm", "../mine", "..", ".", "../../.git"]);

    expect(await kitchen.repo.read(".mmm/mine/session.json")).not.toBe("");
    expect(await json()).toHaveLength(1);
  });

  test("a session that runs is never removed nor dropped", async () => {
    const gate = path.join(kitchen.repo.base, "gate");
    const tries: Promise<readonly CliResult[]>[] = [];
    const cooked = await kitchen.cook(
      `- shell: "echo READY; while [ ! -e ${gate} ]; do sleep 0.05; done"`,
      ["-v"],
      {
        onStdout: (text) => {
          if (!/^\W*READY$/m.test(text) || tries.length > 0) return;
          const run = async (...args: readonly string[]): Promise<CliResult> =>
            kitchen.mmm(["sessions", ...args]);
          const all = Promise.all([
            run("rm", name(), "--force"),
            run("drop", name()),
            run("rm", "--older-than", "0s", "--force"),
          ]);
          tries.push(all.finally(() => writeFileSync(gate, "")));
        },
      },
    );
    const [[removed, dropped, aged] = []] = await Promise.all(tries);

    expect(cooked).toMatchObject({ code: 0 });
    expect(removed).toMatchObject({ code: 3 });
    expect(removed?.stderr).toContain("it is running");
    expect(dropped).toMatchObject({ code: 3 });
    expect(aged).toMatchObject({ code: 0 });
    expect(aged?.stdout).toMatch(/^kept mmm-pb-\d+: it is running\n0 sessions/);
  });
});
