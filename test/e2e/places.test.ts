/** Odd but sound places to work in, and the first use of all: nothing else to do than what the README says. */
import * as fs from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { FakeScenario } from "../support/fake-claude.ts";
import { expectDecent, makeRig, type Rig } from "./rig.ts";

let rig: Rig;
afterEach(async () => rig.dispose());

/** A shell step and a Claude step, a commit each. */
const PLAYBOOK = `- shell: 'echo x > "made by shell"'\n- claude: "write"\n`;
const SUBJECTS = ["write", `echo x > "made by shell"`];
const CLAUDE = { calls: [{ writes: { "made by claude": "x" }, times: "always" as const }] };

async function expectCooked(root: string, cwd = root): Promise<void> {
  const ran = await rig.mmm(["cook", path.join(rig.repo.base, "p.yml"), "-n", "1"], { cwd });

  expectDecent(ran, [0]);
  expect((await rig.repo.gitIn(root, "log", "-2", "--format=%s")).split("\n")).toEqual(SUBJECTS);
  expect(await rig.repo.gitIn(root, "status", "--porcelain")).toBe("");
  expect(await rig.repo.gitIn(cwd, "ls-files", "made*")).toBe("made by claude\nmade by shell");
}

async function make(options: Parameters<typeof makeRig>[0] = {}): Promise<void> {
  rig = await makeRig({ claude: CLAUDE, ...options });
  await fs.writeFile(path.join(rig.repo.base, "p.yml"), PLAYBOOK);
}

describe("a playbook with commits is cooked", () => {
  test.each([
    "with spaces and ümläuts 字",
    "quo'te \"s",
    "-dash",
    "new\nline",
    "$(touch CANARY)",
    "%s #{x} [a]*",
    "back\\slash",
    ":(glob)",
  ])("in a repository that is called %j", async (folder) => {
    await make({ folder });

    await expectCooked(rig.repo.root);

    expect(await fs.readdir(rig.repo.base)).not.toContain("CANARY");
  });

  test("in a folder below the top, there and not at the top", async () => {
    await make({ files: { "a b/ü/keep": "x" } });

    await expectCooked(rig.repo.root, path.join(rig.repo.root, "a b/ü"));
  });

  test("in a repository of 20 000 files", async () => {
    await make();
    const blob = await rig.repo.git("hash-object", "-w", "README.md");
    const lines = Array.from(
      { length: 20_000 },
      (_, n) => `100644 ${blob}\td${n % 200}/f${n}.txt\n`,
    ).join("");
    await fs.writeFile(path.join(rig.repo.base, "index"), lines);
    await rig.repo.git(
      "config",
      "alias.load",
      "!git update-index --index-info < ../index && git checkout-index -a && git update-index -q --refresh",
    );
    await rig.repo.git("load");
    await rig.repo.git("commit", "-qm", "many");

    await expectCooked(rig.repo.root);
  });

  test("in a linked worktree, which alone moves", async () => {
    await make();
    await rig.repo.git("worktree", "add", "-q", "-b", "side", "../side tree");
    const before = await rig.repo.git("rev-parse", "HEAD");

    await expectCooked(path.join(rig.repo.base, "side tree"));

    expect(await rig.repo.git("rev-parse", "HEAD")).toBe(before);
    expect(await rig.repo.git("status", "--porcelain")).toBe("");
  });

  test("in a submodule, and the repository around it stays as it was", async () => {
    await make();
    const inner = await makeRig();
    try {
      await rig.repo.git("submodule", "--quiet", "add", inner.repo.root, "sub");
      await rig.repo.commitAll("a submodule");
      const before = await rig.repo.git("rev-parse", "HEAD");

      await expectCooked(path.join(rig.repo.root, "sub"));

      expect(await rig.repo.git("rev-parse", "HEAD")).toBe(before);
    } finally {
      await inner.dispose();
    }
  });

  test("in a sparse checkout, whose files outside stay outside", async () => {
    await make({ files: { "in/a": "x", "out/b": "x" } });
    await rig.repo.git("sparse-checkout", "set", "in");

    await expectCooked(rig.repo.root, path.join(rig.repo.root, "in"));

    expect(await rig.repo.git("ls-files", "out")).toBe("out/b");
    expect(await fs.readdir(rig.repo.root)).not.toContain("out");
  });

  test("through a link to the repository", async () => {
    await make();
    await fs.symlink(rig.repo.root, path.join(rig.repo.base, "link"));

    await expectCooked(rig.repo.root, path.join(rig.repo.base, "link"));
  });

  test("with a config of git that changes what it prints", async () => {
    await make();
    for (const [key, value] of [
      ["color.ui", "always"],
      ["status.short", "true"],
      ["core.quotePath", "true"],
      ["commit.verbose", "true"],
      ["diff.noprefix", "true"],
      ["log.decorate", "full"],
      ["status.showUntrackedFiles", "no"],
      ["core.pager", "false"],
      ["format.pretty", "oneline"],
      ["commit.template", "/nonexistent"],
      ["diff.external", "false"],
      ["core.commentChar", ";"],
      ["commit.cleanup", "scissors"],
    ] as const)
      await rig.repo.git("config", key, value);

    await expectCooked(rig.repo.root);
  });
});

test("a hook that refuses fails the step with its own words, and the work of the step is kept", async () => {
  await make();
  await rig.repo.writeProgram(
    "../hooks/pre-commit",
    "#!/bin/sh\necho 'not on a \u001b[2JFriday' >&2\nexit 1\n",
  );
  await rig.repo.git("config", "core.hooksPath", path.join(rig.repo.base, "hooks"));
  const before = await rig.repo.git("rev-parse", "HEAD");

  const ran = await rig.mmm(["cook", "../p.yml", "-n", "1"]);

  expectDecent(ran, [1]);
  expect(ran.stdout + ran.stderr).toMatch(/not on a .?Friday/);
  expect(ran.stdout + ran.stderr).not.toContain("\u001b[2J");
  expect(await rig.repo.git("rev-parse", "HEAD")).toBe(before);
  expect(await rig.repo.git("status", "--porcelain")).toBe("");
  const ref = /git restore --source=(\S+)/.exec(ran.stdout + ran.stderr)?.[1] ?? "";
  expect(await rig.repo.git("show", `${ref}:made by shell`)).toBe("x");
});

type Acts = NonNullable<NonNullable<FakeScenario["calls"]>[number]["do"]>;

/** As Claude does it: what it made, and nothing else. */
const committing = (file: string, subject: string): Acts => [
  { init: {} },
  { write: file, content: "x" },
  { run: ["git", "add", "--", file] },
  { run: ["git", "commit", "-qm", subject] },
  { result: { result: subject } },
];

test("the first use: a playbook just written, mmm init, mmm cook; none of it is committed or changed (spec 5)", async () => {
  rig = await makeRig({
    claude: {
      calls: [
        { prompt: "/mmm-code-review", do: committing("specs/temp/a-improvements.md", "review") },
        { prompt: "/mmm-implement-spec", do: committing("src.js", "implement") },
        { prompt: "/mmm-lint" },
        { prompt: "/mmm-code-review" },
      ],
    },
  });
  const mine = "# mine\n- mmm-code-review\n- mmm-implement-spec\n- mmm-lint\n";
  await rig.repo.write("playbook.yml", mine);

  const refused = await rig.mmm(["cook", "playbook.yml"]);
  const init = await rig.mmm(["init"]);
  const installed = await tree(path.join(rig.repo.root, ".claude"));
  const cooked = await rig.mmm(["cook", "playbook.yml"]);

  expectDecent(refused, [2]);
  expect(refused.stderr).toContain("mmm init");
  expectDecent(init, [0]);
  expectDecent(cooked, [0]);
  expect((await rig.repo.git("log", "--format=%s")).split("\n")).toEqual([
    "implement",
    "review",
    "first",
  ]);
  expect((await rig.repo.git("ls-files")).split("\n")).toEqual([
    "README.md",
    "specs/temp/a-improvements.md",
    "src.js",
  ]);
  expect(await rig.repo.read("playbook.yml")).toBe(mine);
  expect(await tree(path.join(rig.repo.root, ".claude"))).toEqual(installed);
  expect(await rig.repo.git("stash", "list")).toBe("");
  const status = (await rig.repo.git("status", "--porcelain", "-uall")).split("\n");
  expect(
    status.every((line) =>
      /^\?\? (\.claude\/commands\/|\.mmm\/(PROJECT\.md|ARCHITECTURE\.md|installed\.json|playbook\.schema\.json)|playbook\.yml)/.test(
        line,
      ),
    ),
  ).toBe(true);
});

test("the first use with a step that fails: the rollback leaves playbook and commands alone", async () => {
  rig = await makeRig();
  const mine = "- shell: 'echo x > junk; exit 1'\n";
  await rig.repo.write("playbook.yml", mine);
  await rig.mmm(["init"]);
  const installed = await tree(path.join(rig.repo.root, ".claude"));

  const ran = await rig.mmm(["cook", "playbook.yml"]);

  expectDecent(ran, [1]);
  expect(await fs.readdir(rig.repo.root)).not.toContain("junk");
  expect(await rig.repo.read("playbook.yml")).toBe(mine);
  expect(await tree(path.join(rig.repo.root, ".claude"))).toEqual(installed);
});

/** Every file below: path to content and time. */
async function tree(folder: string): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { mtimeMs } = await fs.stat(file);
    files[file] = `${mtimeMs} ${await fs.readFile(file, "utf8")}`;
  }
  return files;
}
