/** `mmm cook --worktree` and `mmm worktree` (spec 8). */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { appendFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Rig, makeRig, type RigOptions } from "./rig.ts";
import { leftovers, NOTHING_LEFT, project, sessionsIn, stateOf } from "./worktree-state.ts";

const rigs: Rig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

async function open(options: RigOptions = {}): Promise<Rig> {
  const rig = await makeRig(options);
  rigs.push(rig);
  return rig;
}

/** Adds a line to `file`; the playbook is written where the user stands, and never committed. */
async function playbook(rig: Rig, file: string, line: string): Promise<string> {
  const name = `${file.replace(/\W/g, "-")}-${line}.yml`;
  await rig.repo.write(
    name,
    `- shell: "echo ${line} >> ${file}"\n  name: "${line}"\n  commit_message: "add ${line}"\n`,
  );
  return name;
}

test("mmm sessions rm leaves worktree and branch alone: it refuses, and --force says that they stay", async () => {
  const rig = await open();
  const pb = await playbook(rig, "README.md", "new");
  await rig.mmm(["cook", pb, "--worktree"]);
  const [name = ""] = sessionsIn(rig);
  const rm = async (...args: string[]) => rig.mmm(["sessions", "rm", ...args]);

  const refused = await rm(name);
  const aged = await rm("--older-than", "0s");
  const forced = await rm(name, "--force");

  const place = path.join(project(rig), name);
  expect(refused).toMatchObject({ code: 3, stdout: "" });
  expect(refused.stderr).toContain(`its worktree ${place} is still there`);
  expect(refused.stderr).toContain(`mmm worktree merge ${name}`);
  expect(refused.stderr).toContain(`mmm worktree clean ${name}`);
  expect(aged.stdout).toMatch(/^kept mmm-\S+: its worktree .* is still there\n0 sessions/);
  expect(forced).toMatchObject({ code: 0 });
  expect(forced.stdout).toContain(`its worktree ${place} stays; mmm worktree clean ${name}`);
  expect(await leftovers(rig)).toMatchObject({ branches: ["main", name], folders: [name] });
  // Without its record it is still one of ours, and its work is not thrown away.
  const clean = await rig.mmm(["worktree", "clean", name]);
  expect(clean).toMatchObject({ code: 3 });
  expect(clean.stderr).toContain("1 commit not merged");
});

test("mmm sessions rm takes a session whose worktree was merged and is gone", async () => {
  const rig = await open();
  const pb = await playbook(rig, "README.md", "new");
  await rig.mmm(["cook", pb, "--worktree", "-y"]);

  const removed = await rig.mmm(["sessions", "rm", "--older-than", "0s", "--json"]);

  expect(JSON.parse(removed.stdout)).toMatchObject({ removed: [{ worktree: null }], kept: [] });
});

describe("mmm cook --worktree (spec 8.1)", () => {
  test("works on a branch of its own; the checkout is left alone, its dirt too", async () => {
    const rig = await open();
    const pb = await playbook(rig, "README.md", "new");
    await rig.repo.write("dirt.txt", "mine\n");
    const head = await rig.repo.git("rev-parse", "HEAD");

    const { code, stdout, stderr } = await rig.mmm(["cook", pb, "--worktree"]);

    const [name = ""] = sessionsIn(rig);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(name).toMatch(/^mmm-readme-md-new-\d+$/);
    expect(stdout).toContain(`🌳 Created worktree: ${name} at ${path.join(project(rig), name)}`);
    expect(stdout).toContain(`✅ Improvements completed in worktree: ${name}`);
    // Nobody is there to answer: the line to type stands there instead (spec 1, -y).
    expect(stdout).toContain(`mmm worktree merge ${name}`);
    expect(await rig.repo.git("rev-parse", "main")).toBe(head);
    expect(await rig.repo.read("README.md")).toBe("hello\n");
    expect(await rig.repo.git("log", "--format=%s", `main..${name}`)).toBe("add new");
    expect(await rig.repo.git("diff", "--name-only", "main", name)).toBe("README.md");
    expect(existsSync(path.join(rig.repo.root, ".mmm", "sessions", name, "journal.jsonl"))).toBe(
      true,
    );
  });

  test("-y merges into the branch one stood on, and nothing else is left", async () => {
    const rig = await open();
    const pb = await playbook(rig, "README.md", "new");
    await rig.repo.git("switch", "-q", "-c", "feature/x");

    const { code, stdout } = await rig.mmm(["cook", pb, "-w", "-y"]);

    expect(code).toBe(0);
    expect(stdout).toMatch(/✅ Successfully merged worktree: mmm-readme-md-new-\d+/);
    expect(await rig.repo.read("README.md")).toBe("hello\nnew\n");
    expect(await rig.repo.git("log", "-1", "--format=%s", "feature/x")).toMatch(
      /^Merge branch 'mmm-readme-md-new-\d+' into feature\/x$/,
    );
    expect(await rig.repo.git("log", "-1", "--format=%s", "main")).toBe("first");
    expect(await leftovers(rig)).toEqual({ ...NOTHING_LEFT, branches: ["feature/x", "main"] });
    expect(await rig.repo.git("status", "--porcelain", "--untracked-files=no")).toBe("");
  });

  test("a run that changed nothing says so and leaves nothing; nobody is asked", async () => {
    const rig = await open();
    await rig.repo.write("noop.yml", "worktree: true\nsteps:\n  - shell: 'true'\n");

    const { code, stdout } = await rig.mmm(["cook", "noop.yml", "-y"]);

    expect(code).toBe(0);
    expect(stdout).toContain("Nothing changed");
    expect(stdout).not.toContain("Successfully merged");
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
  });

  test("a failed run stays as it is, with the lines to type, and is not merged", async () => {
    const rig = await open();
    await rig.repo.write("bad.yml", "- shell: 'echo half > half.txt; exit 3'\n  name: bad\n");

    const { code, stderr } = await rig.mmm(["cook", "bad.yml", "-w", "-y"]);

    const [name = ""] = sessionsIn(rig);
    expect(code).toBe(1);
    expect(await readFile(path.join(project(rig), name, "half.txt"), "utf8")).toBe("half\n");
    for (const line of [`mmm resume ${name}`, `mmm worktree clean ${name} --force`])
      expect(stderr).toContain(line);
    expect(await rig.repo.git("for-each-ref", "refs/mmm/failed")).toBe("");
  });

  test("resume goes on in the worktree, from anywhere in the repository", async () => {
    const rig = await open({ files: { "a.txt": "a\n", "sub/b.txt": "b\n" } });
    await rig.repo.write(
      "two.yml",
      [
        "- shell: 'pwd >> one.txt'",
        "  name: one",
        '- shell: \'test -e "$OUT/go" && echo "$WORKTREE" > two.txt\'',
        "  name: two",
      ].join("\n"),
    );
    const first = await rig.mmm(["cook", "../two.yml", "-w", "--path", "."], {
      cwd: path.join(rig.repo.root, "sub"),
    });
    const [name = ""] = sessionsIn(rig);
    await writeFile(path.join(rig.out, "go"), "");

    const again = await rig.mmm(["resume", name]);

    const tree = path.join(project(rig), name);
    expect([first.code, again.code]).toEqual([1, 0]);
    expect(await readFile(path.join(tree, "sub/one.txt"), "utf8")).toBe(`${tree}/sub\n`);
    expect(await readFile(path.join(tree, "sub/two.txt"), "utf8")).toBe(`${name}\n`);
    expect(again.stdout).toContain(`Improvements completed in worktree: ${name}`);
  });

  test("a worktree that was moved or deleted by hand is refused, with a line that mends it", async () => {
    const rig = await open();
    const steps = ["echo x > one.txt", 'test -e "$OUT/go"'].map((run) => `- shell: '${run}'`);
    await rig.repo.write("two.yml", `${steps.join("\n")}\n`);
    await rig.mmm(["cook", "two.yml", "-w"]);
    const [name = ""] = sessionsIn(rig);
    const tree = path.join(project(rig), name);
    await writeFile(path.join(rig.out, "go"), "");
    /** As typed where the user stands. */
    const type = (stderr: string): void => {
      const line = /next: (git .*?)(?: {3}\(|$)/m.exec(stderr)?.[1] ?? "false";
      execFileSync("sh", ["-ec", line], { cwd: rig.repo.root, env: rig.env, stdio: "ignore" });
    };

    await rig.repo.git("-C", tree, "switch", "-q", "--detach");
    const moved = await rig.mmm(["resume"]);
    type(moved.stderr);
    await rm(tree, { recursive: true });
    const deleted = await rig.mmm(["resume"]);
    type(deleted.stderr);
    const resumed = await rig.mmm(["resume"]);

    expect([moved.code, deleted.code]).toEqual([3, 3]);
    expect(moved.stderr).toContain(`git -C ${tree} switch ${name}`);
    expect(await rig.repo.git("branch", "--show-current")).toBe("main");
    expect(deleted.stderr).toContain(`the worktree of ${name} is not there any more`);
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stdout).toContain("1 step reused");
  });

  test("with its branch gone too, a session in a worktree can only be removed", async () => {
    const rig = await open();
    await rig.repo.write("bad.yml", "- shell: 'echo x > x.txt; exit 3'\n");
    await rig.mmm(["cook", "bad.yml", "-w"]);
    const [name = ""] = sessionsIn(rig);
    await rm(path.join(project(rig), name), { recursive: true });
    await rig.repo.git("worktree", "prune");
    await rig.repo.git("branch", "-qD", name);

    const resumed = await rig.mmm(["resume"]);
    const removed = await rig.mmm(["sessions", "rm", name]);

    expect(resumed).toMatchObject({ code: 3 });
    expect(resumed.stderr).toContain("and neither is its branch");
    expect(resumed.stderr).not.toContain("git worktree add");
    // It failed, so there is nothing to drop.
    expect(resumed.stderr).toContain(`mmm sessions rm ${name}`);
    expect(removed).toMatchObject({ code: 0 });
  });

  test("uncommitted settings and inputs come along, and are in no commit", async () => {
    const rig = await open({ files: { "a.txt": "a\n", ".gitignore": "secret.json\n" } });
    await rig.repo.write(".claude/settings.json", "{}\n");
    await rig.repo.write(".claude/secret.json", "{}\n");
    await rig.repo.write("specs/1-x.md", "do it\n");
    await rig.repo.write(
      "pb.yml",
      "- shell: 'cat \"$FILE\" .claude/settings.json .claude/secret.json > out.txt'\n",
    );

    const { code } = await rig.mmm(["cook", "pb.yml", "-w", "--map", "specs/*.md"]);

    const [name = ""] = sessionsIn(rig);
    expect(code).toBe(0);
    expect(await rig.repo.git("diff", "--name-only", "main", name)).toBe("out.txt");
    expect(await rig.repo.git("show", `${name}:out.txt`)).toBe("do it\n{}\n{}");
  });

  test("`worktree:` copies, links and runs; what is prepared is in no commit", async () => {
    const rig = await open({ files: { "a.txt": "a\n", ".gitignore": "/.env\nnode_modules/\n" } });
    await rig.repo.write(".env", "KEY=1\n");
    await rig.repo.write("node_modules/x/index.js", "1\n");
    await rig.repo.write(".mmm/config.yml", "worktree: {copy: [.env], run: ['exit 9']}\n");
    await rig.repo.write(
      "pb.yml",
      [
        "worktree: {link: [node_modules], run: ['cp .env made.txt', 'echo b >> a.txt']}",
        "steps:",
        "  - shell: 'cat .env node_modules/x/index.js made.txt > out.txt'",
      ].join("\n"),
    );

    const { code, stderr } = await rig.mmm(["cook", "pb.yml"]);

    const [name = ""] = sessionsIn(rig);
    expect(code, stderr).toBe(0);
    expect(await rig.repo.git("diff", "--name-only", "main", name)).toBe("out.txt");
    expect(await rig.repo.git("show", `${name}:out.txt`)).toBe("KEY=1\n1\nKEY=1");
  });

  test("a preparation that fails is exit 3 with its output, and leaves nothing", async () => {
    const rig = await open();
    await rig.repo.write(
      "pb.yml",
      "worktree: {run: ['echo no registry; exit 7']}\nsteps: [{shell: 'true'}]\n",
    );

    const { code, stderr } = await rig.mmm(["cook", "pb.yml"]);

    expect(code).toBe(3);
    expect(stderr).toContain("no registry");
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
    expect(existsSync(path.join(rig.repo.root, ".mmm"))).toBe(false);
  });

  test("from a detached HEAD there is nothing to merge into, and it says what to do", async () => {
    const rig = await open();
    const pb = await playbook(rig, "README.md", "new");
    await rig.repo.git("switch", "-q", "--detach");

    const { code, stderr } = await rig.mmm(["cook", pb, "-w", "-y"]);

    const [name = ""] = sessionsIn(rig);
    expect(code).toBe(0);
    expect(stderr).toContain(`git switch BRANCH && git merge --no-ff ${name}`);
    expect((await rig.mmm(["worktree", "merge", name])).code).toBe(3);
  });

  test("two repositories of one name have a folder each", async () => {
    const rig = await open();
    const pb = await playbook(rig, "README.md", "new");
    await rig.mmm(["cook", pb, "-w"]);
    const other = path.join(rig.repo.base, "other", "repo");
    await mkdir(path.dirname(other));
    await rig.repo.git("clone", "-q", rig.repo.root, other);
    await writeFile(path.join(other, pb), await rig.repo.read(pb));

    const { code } = await rig.mmm(["cook", pb, "-w"], { cwd: other });

    const folders = readdirSync(path.dirname(project(rig))).toSorted();
    expect(code).toBe(0);
    expect(folders).toEqual(["repo", expect.stringMatching(/^repo-[0-9a-f]{8}$/)]);
    expect((await rig.mmm(["worktree", "ls"])).stdout).not.toContain(folders[1]);
  });

  test("works with submodules, a sparse checkout and inside of a linked worktree", async () => {
    const rig = await open({ files: { "in/a.txt": "a\n", "far/b.txt": "b\n" } });
    const library = path.join(rig.repo.base, "library");
    await rig.repo.git("clone", "-q", rig.repo.root, library);
    await rig.repo.git("submodule", "--quiet", "add", library, "lib");
    await rig.repo.commitAll("a submodule");
    await rig.repo.git("sparse-checkout", "set", "in");
    const linked = path.join(rig.repo.base, "linked");
    await rig.repo.git("worktree", "add", "-q", "-b", "side", linked);
    await writeFile(path.join(linked, "pb.yml"), "- shell: 'echo b >> in/a.txt'\n");

    const { code, stderr } = await rig.mmm(["cook", "pb.yml", "-w", "-y"], { cwd: linked });

    expect(code, stderr).toBe(0);
    expect(await rig.repo.git("diff", "--name-only", "main", "side")).toBe("in/a.txt");
    expect(await readFile(path.join(linked, "in/a.txt"), "utf8")).toBe("a\nb\n");
    expect(sessionsIn(rig)).toEqual([]);
  });

  test("8 started at the same instant all have their own", async () => {
    const rig = await open();
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for (const name of names) await playbook(rig, `${name}.txt`, "x");
    await rig.repo.write("same.yml", "- shell: 'echo $SESSION_ID > id.txt'\n");

    const runs = await Promise.all(names.map(() => rig.mmm(["cook", "same.yml", "-w"])));

    const sessions = sessionsIn(rig);
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(names.map(() => [0, ""]));
    expect(sessions).toHaveLength(8);
    for (const name of sessions) expect(await rig.repo.git("show", `${name}:id.txt`)).toBe(name);
    const all = await rig.mmm(["worktree", "clean", "--all", "--force"]);
    expect(all.code).toBe(0);
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
  });
});

test.each([2, 8])(
  "%i with -y at the same instant are all merged, one after the other",
  async (n) => {
    const rig = await open();
    await rig.repo.write("pb.yml", "- shell: 'echo $SESSION_ID > out-$SESSION_ID.txt'\n");
    await rig.repo.commitAll("playbook");

    const start = async () => rig.mmm(["cook", "pb.yml", "--worktree", "--yes"]);
    const runs = await Promise.all(Array.from({ length: n }, start));

    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(runs.map(() => [0, ""]));
    expect((await rig.repo.git("ls-files", "out-*")).split("\n")).toHaveLength(n);
    const merges = await rig.repo.git("log", "--merges", "--first-parent", "--format=%s");
    expect(new Set(merges.split("\n")).size).toBe(n);
    expect(merges.match(/^Merge branch 'mmm-pb-\d+(-\d+)?' into main$/gm)).toHaveLength(n);
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
    expect(await rig.repo.git("status", "--porcelain", "--untracked-files=no")).toBe("");
  },
);

describe("mmm worktree merge (spec 8.3)", () => {
  /** Two sessions that are completed and not merged. */
  async function two(rig: Rig, files: readonly [string, string]): Promise<readonly string[]> {
    // Several playbooks that nobody has committed are dirt like any other.
    await appendFile(path.join(rig.repo.root, ".git/info/exclude"), "*.yml\n");
    for (const [index, file] of files.entries()) {
      const pb = await playbook(rig, file, `line${index + 1}`);
      expect((await rig.mmm(["cook", pb, "-w"])).code).toBe(0);
    }
    return sessionsIn(rig).toSorted((a, b) =>
      a.includes("line1") ? -1 : b.includes("line1") ? 1 : 0,
    );
  }

  test("--all merges one after the other, and removes what is merged", async () => {
    const rig = await open();
    await two(rig, ["a.txt", "b.txt"]);

    const { code, stdout } = await rig.mmm(["worktree", "merge", "--all"]);

    expect(code).toBe(0);
    expect(stdout.match(/Successfully merged worktree/g)).toHaveLength(2);
    expect(await rig.repo.read("a.txt")).toBe("line1\n");
    expect(await rig.repo.read("b.txt")).toBe("line2\n");
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
  });

  test("what Claude cannot resolve is exit 4 with the files, and all is as before, byte for byte", async () => {
    const rig = await open({ claude: { calls: [{ times: "always" }] } });
    const [one = "", other = ""] = await two(rig, ["README.md", "README.md"]);
    expect((await rig.mmm(["worktree", "merge", one])).code).toBe(0);
    const before = await stateOf(rig);

    const { code, stderr } = await rig.mmm(["worktree", "merge", other]);

    expect(code).toBe(4);
    expect(stderr).toContain("README.md");
    expect(stderr).toContain(`git merge --no-ff ${other}`);
    expect(await stateOf(rig)).toEqual(before);
    expect(await rig.repo.read("README.md")).toBe("hello\nline1\n");
  });

  test("a conflict goes to Claude, who works beside every checkout; git judges what it made", async () => {
    const rig = await open();
    const [one = "", other = ""] = await two(rig, ["README.md", "README.md"]);
    await rig.mmm(["worktree", "merge", one]);
    // A program that prints no events is judged by its exit code (spec 6.2).
    const script = path.join(rig.out, "claude");
    await writeFile(
      script,
      [
        "#!/bin/sh",
        'case "$1" in --version) exit 0 ;; esac',
        'for last in "$@"; do :; done',
        'printf "%s" "$last" > "$OUT/prompt"',
        'pwd > "$OUT/pwd"',
        'git -C "$MAIN" status --porcelain --untracked-files=no > "$OUT/status"',
        `git merge --no-ff --no-edit ${other}`,
        'printf "hello\\nline1\\nline2\\n" > README.md',
        "git add README.md && git commit -q --no-edit",
      ].join("\n"),
      { mode: 0o755 },
    );

    const { code, stdout, stderr } = await rig.mmm(["worktree", "merge", other], {
      env: { MMM_CLAUDE_BIN: script, MAIN: rig.repo.root },
    });

    const said = await rig.received();
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`Successfully merged worktree: ${other}`);
    expect(stdout).toContain("Claude resolved conflicts");
    expect(said["prompt"]).toContain(`Branch: ${other}`);
    expect(said["pwd"]).toBe(`${path.join(project(rig), `merging-${other}`)}\n`);
    expect(said["status"]).toBe("");
    expect(await rig.repo.read("README.md")).toBe("hello\nline1\nline2\n");
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
  });

  test("--all goes on after a conflict, and ends with its code", async () => {
    const rig = await open();
    await two(rig, ["README.md", "README.md"]);
    await rig.mmm(["cook", await playbook(rig, "z.txt", "line3"), "-w"]);

    const { code, stdout } = await rig.mmm(["worktree", "merge", "--all"]);

    expect(code).toBe(4);
    expect(stdout.match(/Successfully merged worktree/g)).toHaveLength(2);
    expect(await rig.repo.read("z.txt")).toBe("line3\n");
  });

  test("a dirty target is refused with the line that puts the dirt aside", async () => {
    const rig = await open();
    const [one = ""] = await two(rig, ["a.txt", "b.txt"]);
    await rig.repo.write("README.md", "mine\n");

    const { code, stderr } = await rig.mmm(["worktree", "merge", one]);

    expect(code).toBe(3);
    expect(stderr).toContain("git stash -u -- README.md");
    expect(await rig.repo.read("README.md")).toBe("mine\n");
    expect(sessionsIn(rig)).toContain(one);
  });

  test("a target that is checked out nowhere moves all the same; one that is gone is named", async () => {
    const rig = await open();
    const [one = "", other = ""] = await two(rig, ["a.txt", "b.txt"]);
    await rig.repo.git("switch", "-q", "-c", "elsewhere");

    const merged = await rig.mmm(["worktree", "merge", one]);
    expect(merged.code, merged.stderr).toBe(0);
    expect(await rig.repo.git("show", "main:a.txt")).toBe("line1");
    expect(existsSync(path.join(rig.repo.root, "a.txt"))).toBe(false);

    await rig.repo.git("branch", "-D", "main");
    const lost = await rig.mmm(["worktree", "merge", other]);
    expect(lost.code).toBe(3);
    expect(lost.stderr).toContain("git branch main");
  });

  test("a session at work in the target's tree: left unmerged, exit 0, with the line to type", async () => {
    const rig = await open();
    const inner = await playbook(rig, "a.txt", "inner");
    // It cooks in a worktree while it holds the tree it stands in.
    await rig.repo.write(
      "outer.yml",
      `- shell: '"$NODE" "$MMM" cook ${inner} -w -y > "$OUT/inner"; echo $? > "$OUT/code"'\n`,
    );

    await rig.mmm(["cook", "outer.yml", "--allow-dirty"], {
      env: { NODE: process.execPath, MMM: path.resolve("dist/main.js") },
    });

    const said = await rig.received();
    const [name = ""] = sessionsIn(rig);
    expect(said["code"]).toBe("0\n");
    expect(name).toMatch(/^mmm-a-txt-inner-/);
    expect(await rig.repo.git("log", "-1", "--format=%s", "main")).toBe("first");
  });
});

describe("mmm worktree ls and clean (spec 8.2)", () => {
  async function one(rig: Rig): Promise<string> {
    expect((await rig.mmm(["cook", await playbook(rig, "a.txt", "x"), "-w"])).code).toBe(0);
    return sessionsIn(rig)[0] ?? "";
  }

  test("ls names branch, status, iterations, commits ahead, age and playbook", async () => {
    const rig = await open();
    const name = await one(rig);

    const { stdout } = await rig.mmm(["worktree", "ls"], { cwd: path.join(project(rig), name) });
    const json = await rig.mmm(["worktree", "ls", "--json"]);

    expect(stdout).toContain(name);
    expect(stdout).toMatch(/completed, 1 iteration, 1 commit ahead of main, .* old, a-txt-x\.yml/);
    expect(JSON.parse(json.stdout)).toEqual([
      expect.objectContaining({
        name,
        branch: name,
        target: "main",
        status: "completed",
        iterations: 1,
        commits_ahead: 1,
        merged: false,
        playbook: "a-txt-x.yml",
      }),
    ]);
  });

  test("work that is nowhere else is refused without --force, committed or not", async () => {
    const rig = await open();
    const name = await one(rig);
    const unmerged = await rig.mmm(["worktree", "clean", name]);
    const none = await rig.mmm(["worktree", "clean", "--merged"]);
    expect(none).toMatchObject({
      code: 0,
      stdout: "none of them is merged: nothing was removed\n",
    });
    await rig.repo.git("merge", "-q", "--no-edit", name);
    await writeFile(path.join(project(rig), name, "left.txt"), "x");
    const dirty = await rig.mmm(["worktree", "clean", "--merged"]);

    expect([unmerged.code, dirty.code]).toEqual([3, 3]);
    expect(unmerged.stderr).toContain("1 commit not merged");
    expect(dirty.stderr).toContain("left.txt");
    expect(await readFile(path.join(project(rig), name, "left.txt"), "utf8")).toBe("x");

    await rm(path.join(project(rig), name, "left.txt"));
    expect((await rig.mmm(["worktree", "clean", "--merged"])).code).toBe(0);
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
    // Safe to repeat.
    expect((await rig.mmm(["worktree", "clean", name])).code).toBe(0);
  });

  test("a folder or a branch that was deleted by hand is survived", async () => {
    const rig = await open();
    const name = await one(rig);
    await rename(path.join(project(rig), name), path.join(rig.repo.base, "away"));

    const gone = await rig.mmm(["worktree", "ls"]);
    const refused = await rig.mmm(["worktree", "clean", name]);
    const forced = await rig.mmm(["worktree", "clean", name, "--force"]);

    expect(gone.stdout).toContain("its folder is gone");
    expect([refused.code, forced.code]).toEqual([3, 0]);
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
  });

  test("what others have made there is not touched, and a typo is an error with the nearest", async () => {
    const rig = await open();
    const name = await one(rig);
    const foreign = path.join(project(rig), "foreign");
    await rig.repo.git("worktree", "add", "-q", "-b", "theirs", foreign);
    await mkdir(path.join(project(rig), "mmm-folder-1"));

    const typo = await rig.mmm(["worktree", "clean", `${name.slice(0, -1)}x`, "--force"]);
    const all = await rig.mmm(["worktree", "clean", "--all", "--force"]);

    expect(typo.code).toBe(2);
    expect(typo.stderr).toContain(`did you mean ${name}?`);
    expect(all.code).toBe(0);
    expect(sessionsIn(rig).toSorted()).toEqual(["foreign", "mmm-folder-1"]);
    expect(await rig.repo.git("branch", "--list", "theirs")).toContain("theirs");
  });

  test("names from disk never lead elsewhere", async () => {
    const rig = await open();
    const name = await one(rig);
    const precious = path.join(rig.repo.base, name);
    await mkdir(precious);
    await writeFile(path.join(precious, "file"), "x");
    const record = path.join(rig.repo.root, ".mmm", "sessions", name, "worktree.json");
    const content = JSON.parse(await readFile(record, "utf8")) as object;
    await writeFile(record, JSON.stringify({ ...content, path: precious, target: "--force" }));

    const { code } = await rig.mmm(["worktree", "clean", name, "--force"]);

    expect(code).toBe(3);
    expect(await readFile(path.join(precious, "file"), "utf8")).toBe("x");
  });
});
