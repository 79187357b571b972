import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { initCommands, type InitReport, type InitRequest } from "../../src/app/init.ts";
import { useScratch, writeFiles } from "../support/scratch-repo.ts";

const scratch = useScratch();

const block = "---\nmmm:\n  commit: optional\n---\n";
const names = ["mmm-code-review", "mmm-implement-spec", "mmm-lint"];

/** A package with three commands, their text ending in `version`. */
function packageWith(version: string): string {
  const root = scratch.folder();
  writeFiles(
    root,
    Object.fromEntries(
      names.map((name) => [`commands/${name}.md`, `${block}${name} ${version}\n`]),
    ),
  );
  return root;
}

async function init(cwd: string, more: Partial<InitRequest> = {}): Promise<InitReport> {
  const packageRoot = more.packageRoot ?? packageWith("1");
  return initCommands({ cwd, force: false, only: null, env: process.env, ...more, packageRoot });
}

function commandsOf(root: string): string {
  return path.join(root, ".claude", "commands");
}

const SCHEMA = { name: "playbook.schema.json", path: ".mmm/playbook.schema.json" };
const MODELINE = "# yaml-language-server: $schema=../.mmm/playbook.schema.json";

describe("mmm init (spec 9.1)", () => {
  it("says how to trust a repository of another user; one without a commit is fine", async () => {
    const root = scratch.repository({ "a.ts": "" });
    const unborn = scratch.folder();
    scratch.git(unborn, "init", "--quiet");
    process.env["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1";
    try {
      await expect(init(root)).rejects.toMatchObject({
        code: "repository-owner",
        exitCode: 3,
        next: [expect.stringContaining("safe.directory")],
      });
    } finally {
      delete process.env["GIT_TEST_ASSUME_DIFFERENT_OWNER"];
    }
    expect(existsSync(commandsOf(root))).toBe(false);
    expect((await init(unborn)).files).toHaveLength(names.length);
  });

  it("suggests only what is near", async () => {
    const root = scratch.repository({ "a.ts": "" });

    await expect(init(root, { only: ["nope"] })).rejects.toMatchObject({
      message: 'mmm ships no command "nope"',
    });
  });

  it("installs every shipped command and ends with the line that commits them", async () => {
    const root = scratch.repository({ "a.ts": "" });

    const report = await init(root);

    expect(report.files).toEqual(
      names.map((name) => ({ name, path: `.claude/commands/${name}.md`, outcome: "installed" })),
    );
    expect(readdirSync(commandsOf(root)).sort()).toEqual(names.map((name) => `${name}.md`));
    expect(readFileSync(path.join(commandsOf(root), "mmm-lint.md"), "utf8")).toBe(
      `${block}mmm-lint 1\n`,
    );
    expect(report.next).toEqual([
      'git add .claude/commands .mmm/PROJECT.md .mmm/playbook.schema.json .mmm/installed.json && git commit -m "chore: install mmm commands"',
    ]);
  });

  it("prints a line that git really takes, from a subfolder of a path with a quote as well", async () => {
    const root = path.join(scratch.folder(), "it's here");
    mkdirSync(path.join(root, "sub"), { recursive: true });
    scratch.git(root, "init", "--quiet");

    const report = await init(path.join(root, "sub"));
    const { execFileSync } = await import("node:child_process");
    execFileSync("sh", ["-c", report.next.at(-1) ?? ""], { cwd: path.join(root, "sub") });

    expect(report.root).toBe(root);
    expect(scratch.git(root, "ls-files", ".claude").trim().split("\n")).toHaveLength(3);
    expect(scratch.git(root, "log", "--format=%s").trim()).toBe("chore: install mmm commands");
  });

  it("asks nobody to commit what git ignores", async () => {
    const some = scratch.repository({ ".gitignore": ".claude/commands/*\n" });
    const all = scratch.repository({ ".gitignore": ".claude/\n.mmm/\n" });

    const partly = await init(some);
    const report = await init(all);

    expect(report.files[0]?.outcome).toBe("installed");
    expect(report.next).toEqual([]);
    expect(partly.next[0]).toMatch(
      /^git add \.mmm\/PROJECT\.md \.mmm\/playbook\.schema\.json \.mmm\/installed\.json &&/u,
    );
  });

  it("says unchanged the second time, and has nothing to commit", async () => {
    const root = scratch.repository({ "a.ts": "" });
    const packageRoot = packageWith("1");
    await init(root, { packageRoot });

    const report = await init(root, { packageRoot });

    expect(report.files.map((file) => file.outcome)).toEqual([
      "unchanged",
      "unchanged",
      "unchanged",
    ]);
    expect(report.next).toEqual([]);
  });

  it("keeps a file that differs; --force replaces it and keeps its mode", async () => {
    const root = scratch.repository({
      ".claude/commands/mmm-lint.md": "mine\n",
      ".mmm/PROJECT.md": "mine\n",
      ".mmm/installed.json": '{\n  "version": 1,\n  "files": {}\n}\n',
    });
    const target = path.join(commandsOf(root), "mmm-lint.md");
    chmodSync(target, 0o600);
    await init(root, { only: ["mmm-lint"] });

    const kept = await init(root, { only: ["mmm-lint"] });
    const textKept = readFileSync(target, "utf8");
    const replaced = await init(root, { only: ["mmm-lint"], force: true });

    expect(kept.files[0]?.outcome).toBe("kept");
    expect(kept.next).toEqual([]);
    expect(textKept).toBe("mine\n");
    expect(replaced.files[0]?.outcome).toBe("replaced");
    expect(readFileSync(target, "utf8")).toBe(`${block}mmm-lint 1\n`);
    expect(statSync(target).mode & 0o777).toBe(0o600);
  });

  it("updates what nobody has touched since an older mmm installed it, and keeps what was changed", async () => {
    const root = scratch.repository({ "a.ts": "" });
    await init(root);
    const file = (name: string): string => path.join(commandsOf(root), `${name}.md`);
    writeFileSync(file("mmm-lint"), "mine\n");
    // A checkout with other line ends is no change.
    const crlf = readFileSync(file("mmm-code-review"), "utf8").replaceAll("\n", "\r\n");
    writeFileSync(file("mmm-code-review"), crlf);

    const report = await init(root, { packageRoot: packageWith("2") });
    writeFileSync(file("mmm-lint"), `${block}mmm-lint 1\n`);
    const back = await init(root, { packageRoot: packageWith("2") });

    expect(report.files.map((each) => each.outcome)).toEqual(["updated", "updated", "kept"]);
    expect(readFileSync(file("mmm-implement-spec"), "utf8")).toContain("mmm-implement-spec 2");
    expect(report.next[0]).toMatch(/^git add \.claude\/commands \.mmm\/installed\.json &&/u);
    expect(back.files.map((each) => each.outcome)).toEqual(["unchanged", "unchanged", "updated"]);
  });

  it("keeps what differs when the record of what was installed is damaged", async () => {
    const root = scratch.repository({ "a.ts": "" });
    await init(root);
    writeFileSync(path.join(root, ".mmm/installed.json"), "{");

    const report = await init(root, { packageRoot: packageWith("2") });

    expect(report.files.map((each) => each.outcome)).toEqual(["kept", "kept", "kept"]);
  });

  it("writes PROJECT.md with languages and commands filled in, once, and never again", async () => {
    const root = scratch.repository({
      "Cargo.toml": '[package]\nname = "shop"\ndescription = "sells `things`"\n',
      "src/main.rs": "fn main() {}\n",
    });
    const page = path.join(root, ".mmm", "PROJECT.md");

    const first = await init(root);
    const made = readFileSync(page, "utf8");
    writeFileSync(page, "mine\n");
    const second = await init(root, { force: true });

    expect(first.others).toEqual([
      { name: "PROJECT.md", path: ".mmm/PROJECT.md", outcome: "installed" },
      { ...SCHEMA, outcome: "installed" },
    ]);
    expect(made).toMatch(/^# shop\n\nsells `things`\n/u);
    expect(made).toContain("- languages: Rust 100 %\n");
    expect(made).toContain("| test | `cargo test` |\n");
    expect(second.others).toEqual([{ ...SCHEMA, outcome: "unchanged" }]);
    expect(readFileSync(page, "utf8")).toBe("mine\n");
  });

  it("counts what lies there in a repository where nothing was added yet, ignored files left out", async () => {
    const root = scratch.folder();
    scratch.git(root, "init", "--quiet");
    writeFiles(root, { "a.py": "1\n", "b.rs": "fn main() {}\n", ".gitignore": "*.rs\n" });

    await init(root);

    const made = readFileSync(path.join(root, ".mmm", "PROJECT.md"), "utf8");
    expect(made).toContain("- languages: Python 100 %\n");
  });

  it("copies a shipped playbook, and overwrites one only with --force", async () => {
    const root = scratch.repository({ "a.ts": "" });
    const packageRoot = packageWith("1");
    writeFiles(packageRoot, { "examples/tdd.yml": '- shell: "true"\n' });
    const copy = path.join(root, "playbooks", "tdd.yml");
    const outcome = async (force: boolean): Promise<string | undefined> =>
      (await init(root, { packageRoot, playbook: "tdd", force })).others.at(-1)?.outcome;

    const first = [await outcome(false), await outcome(false)];
    writeFileSync(copy, "mine\n");
    const kept = [await outcome(false), readFileSync(copy, "utf8")];
    const forced = [await outcome(true), readFileSync(copy, "utf8")];

    expect(first).toEqual(["installed", "unchanged"]);
    expect(kept).toEqual(["kept", "mine\n"]);
    expect(forced).toEqual(["replaced", `${MODELINE}\n- shell: "true"\n`]);
  });

  it("writes the schema of playbooks for editors, and puts today's in the place of another", async () => {
    const root = scratch.repository({ "a.ts": "" });
    const file = path.join(root, SCHEMA.path);

    await init(root);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, "{}\n");
    const again = await init(root);

    expect(JSON.parse(text)).toHaveProperty("definitions.step");
    expect(again.others).toEqual([{ ...SCHEMA, outcome: "replaced" }]);
    expect(again.next[0]).toMatch(/^git add \.mmm\/playbook\.schema\.json &&/u);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("refuses an unknown playbook with the nearest one, and installs nothing", async () => {
    const root = scratch.repository({ "a.ts": "" });
    const packageRoot = packageWith("1");
    writeFiles(packageRoot, { "examples/coverage.yml": '- shell: "true"\n' });

    await expect(init(root, { packageRoot, playbook: "covrage" })).rejects.toMatchObject({
      code: "unknown-playbook",
      exitCode: 2,
      next: ["did you mean coverage?", "mmm ships: coverage"],
    });

    expect(readdirSync(root).sort()).toEqual([".git", "a.ts"]);
  });

  it("installs the named ones only, however they are written, and each once", async () => {
    const root = scratch.repository({ "a.ts": "" });

    const report = await init(root, { only: [" /mmm-lint", "lint", "code-review.md"] });

    expect(report.files.map((file) => file.name)).toEqual(["mmm-code-review", "mmm-lint"]);
    expect(readdirSync(commandsOf(root))).toHaveLength(2);
  });

  it("refuses unknown names with the nearest one, and installs none of the others", async () => {
    const root = scratch.repository({ "a.ts": "" });

    await expect(
      init(root, { only: ["mmm-lint", "mmm-code-reviw", "linth"] }),
    ).rejects.toMatchObject({
      code: "unknown-command",
      exitCode: 2,
      message:
        'mmm ships no command "mmm-code-reviw" (did you mean mmm-code-review?), "linth" (did you mean mmm-lint?)',
    });
    await expect(init(root, { only: [" ", ""] })).rejects.toMatchObject({ exitCode: 2 });

    expect(existsSync(path.join(root, ".claude"))).toBe(false);
  });

  it("makes nothing outside of a repository, in a bare one, and in a folder that is not there", async () => {
    const plain = scratch.folder();
    const bare = scratch.folder();
    scratch.git(bare, "init", "--quiet", "--bare");

    await expect(init(plain)).rejects.toMatchObject({ code: "no-repository", exitCode: 3 });
    await expect(init(bare)).rejects.toMatchObject({ code: "no-repository", exitCode: 3 });
    await expect(init(path.join(plain, "nope"))).rejects.toMatchObject({
      code: "no-directory",
      exitCode: 3,
    });

    expect(readdirSync(plain)).toEqual([]);
    expect(readdirSync(bare)).not.toContain(".claude");
  });

  it.each([".claude", ".claude/commands", ".mmm"])(
    "names the file that stands where %s should be",
    async (file) => {
      const root = scratch.repository({ [file]: "a file\n" });

      await expect(init(root)).rejects.toMatchObject({
        code: "not-a-folder",
        exitCode: 3,
        message: expect.stringContaining(file),
      });

      expect(readFileSync(path.join(root, file), "utf8")).toBe("a file\n");
    },
  );

  it("changes nothing when one of the targets is a folder", async () => {
    const root = scratch.repository({ ".claude/commands/mmm-lint.md/x": "" });

    await expect(init(root, { force: true })).rejects.toMatchObject({ code: "not-a-file" });

    expect(readdirSync(commandsOf(root))).toEqual(["mmm-lint.md"]);
  });

  it.each([".claude", ".claude/commands", ".claude/commands/mmm-lint.md", ".mmm"])(
    "writes through no symlink at %s that leads out of the repository",
    async (link) => {
      const root = scratch.repository({ "a.ts": "" });
      const away = scratch.folder();
      writeFiles(away, { "mmm-lint.md": "theirs\n" });
      mkdirSync(path.dirname(path.join(root, link)), { recursive: true });
      const target = link.endsWith(".md") ? path.join(away, "mmm-lint.md") : away;
      symlinkSync(target, path.join(root, link));

      await expect(init(root, { force: true })).rejects.toMatchObject({
        code: "symlink-outside",
        exitCode: 3,
      });

      expect(readdirSync(away)).toEqual(["mmm-lint.md"]);
      expect(readFileSync(path.join(away, "mmm-lint.md"), "utf8")).toBe("theirs\n");
      expect(existsSync(path.join(root, ".claude/commands/mmm-code-review.md"))).toBe(false);
      expect(existsSync(path.join(root, ".mmm/PROJECT.md"))).toBe(false);
    },
  );

  it("refuses a symlink to nothing, and follows one that stays inside", async () => {
    const dangling = scratch.repository({ "a.ts": "" });
    mkdirSync(path.join(dangling, ".claude"));
    symlinkSync("gone", path.join(dangling, ".claude", "commands"));
    const inside = scratch.repository({ "tools/commands/mmm-lint.md": "mine\n" });
    symlinkSync("tools", path.join(inside, ".claude"));

    await expect(init(dangling)).rejects.toMatchObject({ code: "symlink-outside" });
    const report = await init(inside, { force: true });

    expect(report.files.map((file) => file.outcome)).toEqual([
      "installed",
      "installed",
      "replaced",
    ]);
    expect(readdirSync(path.join(inside, "tools/commands"))).toHaveLength(3);
  });

  it("leaves nothing half done in a read-only folder", async () => {
    const root = scratch.repository({ "a.ts": "" });
    mkdirSync(path.join(root, ".claude"));
    chmodSync(path.join(root, ".claude"), 0o555);

    const packageRoot = packageWith("1");

    const attempt = await asNobody(root, () =>
      init(root, { packageRoot }).catch((error: unknown) => error),
    );

    expect(attempt).toMatchObject({ code: "init-unwritable", exitCode: 3 });
    expect(readdirSync(path.join(root, ".claude"))).toEqual([]);
    expect(existsSync(path.join(root, ".mmm"))).toBe(false);
  });

  it("takes back what it wrote when a later file cannot be written", async () => {
    const packageRoot = scratch.folder();
    // 255 bytes is the longest name of a file, and the draft's name is longer than the command's
    const long = `mmm-${"z".repeat(245)}`;
    writeFiles(packageRoot, {
      "commands/mmm-lint.md": block,
      [`commands/${long}.md`]: block,
    });
    const root = scratch.repository({ "a.ts": "" });

    await expect(init(root, { packageRoot })).rejects.toMatchObject({
      code: "init-unwritable",
      exitCode: 3,
    });

    expect(readdirSync(root).sort()).toEqual([".git", "a.ts"]);
  });

  it("names the commands that a different one in the home folder hides", async () => {
    const root = scratch.repository({ "a.ts": "" });
    const home = scratch.folder();
    writeFiles(home, {
      ".claude/commands/mmm-lint.md": "mine\n",
      ".claude/commands/mmm-code-review.md": `${block}mmm-code-review 1\n`,
    });

    expect((await init(root, { home })).hidden).toEqual(["mmm-lint"]);
  });

  it("says so when the package itself is damaged", async () => {
    const root = scratch.repository({ "a.ts": "" });
    const empty = scratch.folder();
    const wrong = scratch.folder();
    writeFiles(wrong, { "commands/mmm-x.md": "---\ndescription: cut sh" });

    await expect(init(root, { packageRoot: empty })).rejects.toMatchObject({
      code: "package-damaged",
    });
    await expect(init(root, { packageRoot: wrong })).rejects.toMatchObject({
      code: "package-damaged",
      message: expect.stringContaining("commands/mmm-x.md: it has no `mmm:` block"),
    });
  });

  it("leaves a user's own commands alone", async () => {
    const root = scratch.repository({ "a.ts": "" });
    mkdirSync(commandsOf(root), { recursive: true });
    writeFileSync(path.join(commandsOf(root), "deploy.md"), "mine\n");

    await init(root, { force: true });

    expect(readFileSync(path.join(commandsOf(root), "deploy.md"), "utf8")).toBe("mine\n");
  });
});

/** Root may write everywhere: as root the work is done by somebody who owns the folder, and no more. */
async function asNobody<T>(folder: string, work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  const nobody = 65_534;
  execFileSync("chown", ["-R", `${nobody}:${nobody}`, folder]);
  chmodSync(path.dirname(folder), 0o755);
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
