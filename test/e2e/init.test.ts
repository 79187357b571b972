/** `mmm init` as its user starts it (spec 9.1). Its rules one by one: test/app/init.test.ts. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mainFile, packageRoot, runCli, type CliResult } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

const shipped = readdirSync(path.join(packageRoot, "commands"))
  .map((file) => file.slice(0, -".md".length))
  .toSorted();

let repo: TempRepo;

beforeEach(async () => {
  repo = await makeRepo({ "Cargo.toml": '[package]\nname = "shop"\n', "src/main.rs": "\n" });
});

afterEach(async () => {
  await repo.dispose();
});

const init = async (args: readonly string[] = [], cwd = repo.root): Promise<CliResult> =>
  runCli(["init", ...args], { cwd, env: repo.env });
const commands = (): readonly string[] =>
  readdirSync(path.join(repo.root, ".claude", "commands")).toSorted();
const lint = (): string => path.join(repo.root, ".claude/commands/mmm-lint.md");

describe("mmm init", () => {
  test("installs all, says so of each and in sum, and ends with the line that commits it, asking nothing", async () => {
    const { code, stdout, stderr } = await init();
    const lines = stdout.trimEnd().split("\n");
    const commit = spawnSync("sh", ["-c", lines.at(-1) ?? ""], { cwd: repo.root, env: repo.env });
    const again = await init();

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(lines.slice(0, -2)).toEqual([
      ...shipped.map((name) => `.claude/commands/${name}.md  installed`),
      ".mmm/PROJECT.md  installed",
      ".mmm/playbook.schema.json  installed",
    ]);
    expect(lines.at(-2)).toBe(`${shipped.length + 2} installed`);
    expect(commit.status).toBe(0);
    expect(await repo.git("status", "--porcelain")).toBe("");
    const page = await repo.read(".mmm/PROJECT.md");
    expect(page).toContain("- languages: Rust 100 %\n");
    for (const row of [
      "| test | `cargo test` |",
      "| lint | `cargo clippy",
      "| build | `cargo build` |",
      "| format | `cargo fmt` |",
    ])
      expect(page).toContain(row);
    expect(again.stdout.trimEnd().split("\n").at(-1)).toBe(`${shipped.length + 1} unchanged`);
    expect(again.stdout).not.toMatch(/installed|updated|kept|replaced/);
  });

  test("keeps what its user has changed, until --force; updates what an older mmm has installed", async () => {
    await init();
    await writeFile(lint(), "mine\n");
    const review = path.join(repo.root, ".claude/commands/mmm-code-review.md");
    const older = "---\ndescription: older\nmmm:\n  commit: optional\n---\n";
    await writeFile(review, older);
    const record = await repo.read(".mmm/installed.json");
    const written = JSON.parse(record) as { readonly files: Readonly<Record<string, string>> };
    const hash = createHash("sha256").update(older).digest("hex");
    const files = { ...written.files, ".claude/commands/mmm-code-review.md": hash };
    await repo.write(".mmm/installed.json", JSON.stringify({ ...written, files }));

    const kept = await init();
    const mine = readFileSync(lint(), "utf8");
    const forced = await init(["-f"]);

    expect(kept.stdout).toContain("mmm-lint.md  kept (differs; --force replaces)\n");
    expect(kept.stdout).toContain(
      "mmm-code-review.md  updated (untouched since an older mmm installed it)\n",
    );
    expect(mine).toBe("mine\n");
    expect(forced.stdout).toContain("mmm-lint.md  replaced\n");
    for (const name of ["mmm-lint", "mmm-code-review"])
      expect(await repo.read(`.claude/commands/${name}.md`)).toBe(
        readFileSync(path.join(packageRoot, "commands", `${name}.md`), "utf8"),
      );
  });

  test("takes names with --commands, a directory with --path (also ~/), a playbook with --playbook", async () => {
    const home = repo.home;
    symlinkSync(repo.root, path.join(home, "project"));

    const named = await init(["-c", "lint,/mmm-code-review", "-p", "src"]);
    const some = commands();
    const playbook = await init(["--playbook", "tdd", "--path", "~/project"], repo.base);
    const schema = await runCli(["validate", "playbooks/tdd.yml"], {
      cwd: repo.root,
      env: repo.env,
    });

    expect(named.code).toBe(0);
    expect(some).toEqual(["mmm-code-review.md", "mmm-lint.md"]);
    expect(playbook.stdout).toContain("playbooks/tdd.yml  installed\n");
    expect(commands()).toHaveLength(shipped.length);
    expect(await repo.read("playbooks/tdd.yml")).toBe(
      `# yaml-language-server: $schema=../.mmm/playbook.schema.json\n${readFileSync(
        path.join(packageRoot, "examples", "tdd.yml"),
        "utf8",
      )}`,
    );
    expect(existsSync(path.join(repo.root, ".mmm/playbook.schema.json"))).toBe(true);
    expect(schema.code).toBe(0);
  });

  test("--list shows each command and playbook with what it does, anywhere, and installs nothing", async () => {
    const { code, stdout } = await init(["--list"], repo.base);
    const examples = readdirSync(path.join(packageRoot, "examples")).flatMap(
      (file) => /^(.+)\.yml$/.exec(file)?.slice(1) ?? [],
    );

    expect(code).toBe(0);
    const rows = stdout.split("\n").filter((line) => /^\S+ {2,}\S.{9}/.test(line));
    expect(rows.map((row) => row.split(" ")[0])).toEqual([...shipped, ...examples.toSorted()]);
    expect(existsSync(path.join(repo.root, ".claude"))).toBe(false);
  });

  test.each([
    ["an unknown command", ["-c", "lint,code-reviw"], 2, "did you mean mmm-code-review?"],
    ["no command", ["-c", " , "], 2, "no command was named"],
    ["an unknown playbook", ["--playbook", "covrage"], 2, "did you mean coverage?"],
    ["a word too many", ["lint"], 2, "too many arguments"],
    ["a directory that is none", ["-p", "Cargo.toml"], 3, "Cargo.toml is not a directory"],
    ["a directory that is not there", ["-p", "nope"], 3, "there is no directory"],
    ["what is no repository", ["-p", ".."], 3, "not inside a git repository"],
  ])("refuses %s with a sentence, and makes nothing", async (_, args, wanted, words) => {
    const { code, stdout, stderr } = await init(args);

    expect({ code, stdout }).toEqual({ code: wanted, stdout: "" });
    expect(stderr).toContain(words);
    expect(await repo.git("status", "--porcelain")).toBe("");
  });

  test("writes through no symlink that leaves the repository, and over no file in a folder's place", async () => {
    const away = await mkdtemp(path.join(tmpdir(), "mmm-away-"));
    try {
      symlinkSync(away, path.join(repo.root, ".claude"));
      const linked = await init(["--force"]);
      await rm(path.join(repo.root, ".claude"));
      await writeFile(path.join(repo.root, ".claude"), "a file\n");
      const inTheWay = await init(["--force"]);

      expect(linked).toMatchObject({ code: 3, stdout: "" });
      expect(linked.stderr).toContain(".claude is a symlink that leads out of the repository");
      expect(inTheWay).toMatchObject({ code: 3, stdout: "" });
      expect(inTheWay.stderr).toContain(".claude is a file where a folder should be");
      expect(readdirSync(away)).toEqual([]);
      expect(existsSync(path.join(repo.root, ".mmm"))).toBe(false);
    } finally {
      await rm(away, { recursive: true });
    }
  });

  test("leaves nothing half done where somebody may not write", async () => {
    const folder = path.join(repo.root, ".mmm");
    mkdirSync(folder);
    chmodSync(folder, 0o555);
    chmodSync(repo.base, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) spawnSync("chown", ["-R", "65534:65534", repo.root]);

    const { status, stdout, stderr } = spawnSync(process.execPath, [mainFile, "init"], {
      cwd: repo.root,
      env: repo.env,
      encoding: "utf8",
      ...(isRoot && { uid: 65_534, gid: 65_534 }),
    });
    chmodSync(folder, 0o755);

    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toContain(`cannot write to ${folder}`);
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(path.join(repo.root, ".claude"))).toBe(false);
  });

  test("says which commands the home folder hides", async () => {
    const hidden = path.join(repo.home, ".claude", "commands");
    mkdirSync(hidden, { recursive: true });
    await writeFile(path.join(hidden, "mmm-lint.md"), "another\n");

    const { code, stderr } = await init();

    expect(code).toBe(0);
    expect(stderr).toBe(
      "warning: /mmm-lint in your home folder hides the one of this repository\n",
    );
  });
});
