/** What really breaks in tools like this, by its number (failure modes F05 to F40), end to end. */
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen | null = null;
const open = async (...args: Parameters<typeof openKitchen>): Promise<Kitchen> =>
  (kitchen = await openKitchen(...args));

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

describe("large and hostile values", () => {
  test("F05, F06: a 2 MB value, captured, and twenty shell steps and Claude after it", async () => {
    const { cook, repo, prompts } = await open();
    const more = Array.from({ length: 20 }, () => `- shell: "echo x >> count"`).join("\n");

    const { code, stderr } = await cook(
      `
- id: big
  shell: "head -c 2000000 /dev/zero | tr '\\\\0' a"
  capture_output: text
${more}
- shell: "printf %s \${big.output} | wc -c | tr -d ' ' > length; cat \${text|file} | wc -c | tr -d ' ' >> length"
- claude: "it lies in \${big.output}"
`,
      ["-n", "1"],
    );

    expect([code, stderr]).toEqual([0, ""]);
    expect(await repo.read("length")).toBe("2000000\n2000000\n");
    expect((await repo.read("count")).split("\n")).toHaveLength(21);
    const [prompt] = await prompts();
    expect(prompt).toMatch(/^it lies in \/\S+$/);
  });

  test("bytes that are no text reach a shell as they are, two of them apart", async () => {
    const { cook, repo } = await open();

    const { code } = await cook(`
- {id: a, shell: "printf 'a\\\\377'"}
- {id: b, shell: "printf 'b\\\\376'"}
- {id: none, shell: "true"}
- shell: "printf %s \${a.output}\${b.output}\${none.output:-empty} | od -An -c | tr -d ' ' > seen"
`);

    expect(code).toBe(0);
    expect(await repo.read("seen")).toBe("a377b376empty\n");
  });

  test("over 10 MiB only a file carries it, and the refusal says so (spec 11)", async () => {
    const { cook, repo } = await open();
    const big = `{id: big, shell: "head -c 11000000 /dev/zero | tr '\\\\0' a"}`;

    const byFile = await cook(`[${big}, {shell: "wc -c < \${big.output|file} > size"}]`);
    const refused = await cook(`[${big}, {shell: "printf %s \${big.output} > size"}]`);

    expect([byFile.code, refused.code]).toEqual([0, 1]);
    expect((await repo.read("size")).trim()).toBe("11000000");
    expect(refused.stdout + refused.stderr).toContain("10.5 MiB, more than the 10 MiB");
  });

  test("data is data: a hostile argument and a hostile output reach shell and Claude as they are", async () => {
    const { cook, repo, prompts } = await open();
    const hostile = `-rf "; touch pwned; $(touch pwned) \`touch pwned\` '\${ARG}' $& !`;

    const { code } = await cook(
      `
- id: said
  shell: "printf '%s\\\\n' \${ARG}"
- shell: 'printf %s "\${said.output}" > one; printf %s "<$ARG>" > two'
- claude: "look at \${said.output} and $ARG"
`,
      ["--args", hostile],
    );

    expect(code).toBe(0);
    expect(await repo.read("one")).toBe(`${hostile}\n`);
    expect(await repo.read("two")).toBe(`<${hostile}>`);
    expect(await prompts()).toEqual([`look at ${hostile}\n and ${hostile}`]);
    await expect(repo.read("pwned")).rejects.toThrow();
  });

  test("F13: the file that holds a value is still there when the fixer reads it", async () => {
    const { cook, repo, claude } = await open();
    await claude.dispose();
    const fixer = path.join(repo.base, "claude");
    await writeFile(
      fixer,
      `#!/bin/sh\ncase "$*" in *--version*) echo 9;; *) for last; do :; done; cat "\${last#fix }" > seen; touch ok; echo done;; esac\n`,
    );
    await chmod(fixer, 0o755);

    const { code } = await cook(
      `
- shell: "test -e ok || { seq 1 5000; exit 1; }"
  on_failure: {claude: "fix \${shell.output}"}
`,
      ["-n", "1"],
      { env: { MMM_CLAUDE_BIN: fixer } },
    );

    expect(code).toBe(0);
    expect((await repo.read("seen")).split("\n")).toHaveLength(5001);
  });
});

describe("surroundings", () => {
  test("F07: without a PATH there is one clear error, no stack", async () => {
    const { cook } = await open();

    const { code, stderr } = await cook(`[{claude: "go"}]`, [], {
      env: { PATH: undefined, MMM_CLAUDE_BIN: undefined },
    });

    expect(code).toBe(3);
    expect(stderr).toMatch(/^mmm: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("a shell step that takes its own working directory away fails, and the run ends in order", async () => {
    const { cook, events } = await open(undefined, { "README.md": "x", "sub/a.txt": "x" });

    const { code } = await cook(
      `[{shell: "rm -r ../sub", working_dir: sub}, {shell: "pwd", working_dir: sub}]`,
    );

    expect(code).toBe(1);
    expect(events().at(-1)).toMatchObject({ type: "session-finished", stop: "step-failed" });
  });

  test("a .mmm that is a file ends in exit 3 with a word", async () => {
    const { cook, repo } = await open();
    await repo.write(".mmm", "a file");
    await repo.commitAll("no folder");

    const file = await cook(`[{shell: "true"}]`);

    expect(file.code).toBe(3);
    expect(file.stderr).toMatch(/^mmm: cannot /m);
  });

  test("a step that takes the session's own folder away ends the run with exit 3 and the cause, no stack", async () => {
    const { cook } = await open();

    const { code, stderr } = await cook(`[{shell: "rm -rf .mmm"}, {shell: "echo never"}]`);

    expect(code).toBe(3);
    expect(stderr).toMatch(/^mmm: cannot .*ENOENT/m);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("a step that leaves git on a detached HEAD or another branch is put back where it began", async () => {
    const { cook, repo, history } = await open();

    const detached = await cook(`[{shell: "git checkout -q --detach && echo x > a.txt"}]`);
    const other = await cook(`[{shell: "git checkout -q -b other && echo x > a.txt"}]`, [
      "--args",
      "one",
    ]);

    expect([detached.code, other.code]).toEqual([1, 1]);
    expect(detached.stdout + detached.stderr).toContain("from branch main to a detached HEAD");
    expect(other.stdout + other.stderr).toContain("from branch main to branch other");
    expect(await repo.git("symbolic-ref", "--short", "HEAD")).toBe("main");
    expect(await history()).toEqual(["first"]);
  });

  test("a step that changes the running playbook changes nothing of this run, and its change is committed", async () => {
    const { cook, repo, history } = await open();

    const { code } = await cook(
      `[{shell: "echo '- shell: false' > pb.yml"}, {shell: "echo x > a"}]`,
    );

    expect(code).toBe(0);
    expect(await history()).toHaveLength(3);
    expect(await repo.git("show", "HEAD~1:pb.yml")).toBe("- shell: false");
  });

  test("a session's end that the summary tells is the one that the files tell (truthful)", async () => {
    const { cook, repo, session, mmm } = await open();

    await cook(`[{shell: "echo x > a.txt"}, {shell: "exit 4"}]`);
    const state = JSON.parse(await repo.read(".mmm/state.json")) as Record<string, unknown>;
    const own = JSON.parse(
      await repo.read(path.relative(repo.root, `${session()}/session.json`)),
    ) as object;

    const facts = { status: "failed", stop_reason: "step-failed", exit_code: 1, commits: 1 };
    expect(state).toMatchObject({ total_runs: 1, running: [], last_session: facts });
    expect(own).toMatchObject({ ...facts, files_changed: 1, playbook: "pb.yml" });
    expect((await mmm(["cook", "pb.yml"])).code).toBe(1);
  });
});
