/** What is refused before anything runs: exit codes and their order (spec 1.1), and the command line itself. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { makeRepo } from "../support/temp-repo.ts";

let kitchen: Kitchen | null = null;
const open = async (...args: Parameters<typeof openKitchen>): Promise<Kitchen> =>
  (kitchen = await openKitchen(...args));

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

const FINE = `[{shell: "true"}]`;

describe("the command line (spec 1)", () => {
  test("mmm alone prints help, -V the version, an unknown command or option is exit 2", async () => {
    const { mmm } = await open();

    const alone = await mmm([]);
    const version = await mmm(["-V"]);
    const help = await mmm(["cook", "--help"]);
    const command = await mmm(["cok"]);
    const option = await mmm(["cook", "--itterations", "3"]);
    const extra = await mmm(["cook", "a.yml", "b.yml"]);

    expect([alone.code, version.code, help.code]).toEqual([0, 0, 0]);
    expect(alone.stdout).toContain("cook");
    expect(alone.stdout).not.toContain("improve");
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(help.stdout).toContain("--max-iterations");
    expect([command.code, option.code, extra.code]).toEqual([2, 2, 2]);
    expect(command.stderr).toContain("cok");
    expect(option.stderr).toContain("--itterations");
  });

  test("options without a command print help; help shows no empty defaults", async () => {
    const { mmm } = await open();

    const [plain, quiet, cook] = [await mmm(["-v"]), await mmm(["-q"]), await mmm(["cook", "-h"])];

    expect([plain.code, quiet.code]).toEqual([0, 0]);
    expect(plain.stdout).toContain("Usage: mmm");
    expect(cook.stdout).not.toContain("default: []");
    expect(cook.stdout).toContain("--parallel <n>");
  });

  test("a pattern that the shell expanded: the line says how to quote it", async () => {
    const { mmm } = await open();
    const files = ["specs/a.md", "specs/b.md", "specs/c.md"];

    const last = await mmm(["cook", "p.yml", "--map", ...files]);
    const first = await mmm(["cook", "--map", ...files, "p.yml"]);
    const mixed = await mmm(["cook", "p.yml", "--map", "a.md", "b.txt"]);
    const apart = await mmm(["cook", "p.yml", "--map", "a/x", "other"]);

    for (const { code, stderr } of [last, first]) {
      expect(code).toBe(2);
      expect(stderr).toContain("quote the pattern: --map 'specs/*.md'");
    }
    expect(mixed.stderr).toContain("quote the pattern: --map '*'");
    expect(apart.stderr).toContain("quote the pattern: --map 'PATTERN'");
  });

  test.each([
    ["0", [], "1 to 64"],
    ["many", [], "1 to 64"],
    ["2", [], "--parallel is for several inputs, and there is none"],
    ["2", ["--args", "a", "--no-commit"], "leave out --no-commit, or --parallel"],
  ])("--parallel %s %j is refused before anything starts (spec 1)", async (n, more, words) => {
    const { cook } = await open();

    const { code, stderr } = await cook(FINE, ["--parallel", n, ...more]);

    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  test("-n takes a whole number from 1 to 1000", async () => {
    const { cook } = await open();

    const codes = [];
    for (const n of ["0", "1001", "1.5", "many", "-1"]) {
      const { code, stderr } = await cook(FINE, [`-n=${n}`]);
      expect(stderr).toContain("1 to 1000");
      codes.push(code);
    }
    expect(new Set(codes)).toEqual(new Set([2]));
    expect((await cook(FINE, ["-n", "1000"])).code).toBe(0);
  });

  test("improve is cook with a deprecation line", async () => {
    const { mmm, repo } = await open();
    await repo.write("pb.yml", `[{shell: "echo x > a.txt"}]`);

    const { code, stderr } = await mmm(["improve", "pb.yml"]);

    expect(code).toBe(0);
    expect(stderr).toContain("`mmm improve` is now `mmm cook`");
    expect(await repo.read("a.txt")).toBe("x\n");
  });

  test("no playbook, a missing one and a directory are exit 2 with what there is", async () => {
    const { mmm, repo } = await open();
    await repo.write("playbooks/nightly.yml", FINE);

    const none = await mmm(["cook"]);
    const missing = await mmm(["cook", "playbooks/nihtly.yml"]);
    const folder = await mmm(["cook", "playbooks"]);

    expect([none.code, missing.code, folder.code]).toEqual([2, 2, 2]);
    expect(none.stderr).toContain("mmm cook playbooks/nightly.yml");
    expect(missing.stderr).toContain("did you mean playbooks/nightly.yml");
    expect(folder.stderr).toContain("playbooks/nightly.yml");
  });

  test("a missing playbook that is shipped, or lies at the repository's top, is named", async () => {
    const { mmm, repo } = await open(undefined, { "README.md": "x", "sub/deep/a.txt": "x" });
    await repo.write("playbooks/mine.yml", FINE);
    const cwd = path.join(repo.root, "sub/deep");

    const shipped = await mmm(["cook", "default.yml"]);
    const top = await mmm(["cook", "playbooks/mine.yml"], { cwd });
    const nowhere = await mmm(["cook", "playbooks/yours-altogether.yml"], { cwd });

    expect([shipped.code, top.code, nowhere.code]).toEqual([2, 2, 2]);
    expect(shipped.stderr).toContain("did you mean default?");
    expect(top.stderr).toContain(
      "it lies at the repository's top: mmm cook ../../playbooks/mine.yml",
    );
    expect(nowhere.stderr).not.toMatch(/top:|did you mean/);
  });

  test("a shipped playbook is taken by its name, and a line says so", async () => {
    const { mmm } = await open();
    await mmm(["init"]);

    const { code, stdout, stderr } = await mmm([
      "cook",
      "quick-fix",
      "-n",
      "1",
      "--args",
      "a typo",
    ]);

    expect(stdout + stderr).toContain("quick-fix is not here; taking the one that mmm ships");
    expect(code).not.toBe(2);
  });
});

describe("Claude commands that nobody knows (spec 6.3)", () => {
  const TEXTS = '- "npm test"\n- "Please review the code"\n- claude: /nope\n';

  test("validate warns of each at its place, exit 0, also those that cook refuses", async () => {
    const { mmm, repo } = await open();
    await repo.write("p.yml", `${TEXTS}- /mmm-lint\n- /mine\n`);
    await repo.write(".claude/commands/mine.md", "Do it.");

    const { code, stdout } = await mmm(["validate", "p.yml"]);

    expect(code).toBe(0);
    expect(stdout).toContain("p.yml:1:3 unknown-command warning: there is no command /npm");
    expect(stdout).toContain("did you mean `shell: npm test`?");
    expect(stdout).toContain("p.yml:2:3 unknown-command warning: there is no command /Please");
    expect(stdout).toContain("did you mean `claude: Please review the code`?");
    expect(stdout).toContain("p.yml:3:11 unknown-command warning: there is no command /nope");
    expect(stdout).toContain("p.yml:4:3 unknown-command warning: /mmm-lint is not installed here");
    expect(stdout).not.toContain("/mine");
    expect(stdout).toMatch(/p\.yml: ok\n$/);
  });

  test("validate works where there is no repository", async () => {
    const { mmm, repo } = await open();
    await writeFile(path.join(repo.base, "p.yml"), "- /nope\n");

    const { code, stdout } = await mmm(["validate", "p.yml"], { cwd: repo.base });

    expect(code).toBe(0);
    expect(stdout).toContain("p.yml:1:3 unknown-command warning");
  });

  test("cook says where they stand, and asks Claude", async () => {
    const { cook, prompts } = await open();

    const { stdout, stderr } = await cook(`- claude: /nope\n${TEXTS}`, ["-n", "1", "--no-commit"]);

    expect(stdout + stderr).toContain("pb.yml:1:11 there is no command /nope");
    expect(stdout + stderr).toContain("pb.yml:2:3 there is no command /npm");
    expect((await prompts())[0]).toBe("/nope");
  });
});

describe("the order of checks (spec 1.1): the first kind of trouble wins", () => {
  const WRONG = `[{shel: "true"}]`;
  const UNKNOWN = `[{claude: "/mmm-code-reviw"}]`;
  const CLAUDE = `[{claude: "look"}]`;

  test("playbook (2), then repository (3), dirt (3), commands (2), claude (3), identity (3)", async () => {
    const { cook, repo, mmm } = await open();
    const outside = path.join(repo.base, "outside.yml");
    await writeFile(outside, WRONG);

    // everything is wrong: no repository, an unknown command, no claude
    const wrongOutside = await mmm(["cook", "outside.yml"], { cwd: repo.base });
    await writeFile(outside, UNKNOWN);
    const noRepository = await mmm(["cook", "outside.yml"], { cwd: repo.base });
    const noClaude = { env: { MMM_CLAUDE_BIN: "/no/claude" } };
    await repo.write("dirt.txt", "x");
    const dirty = await cook(UNKNOWN, [], noClaude);
    await repo.git("clean", "-qf", "dirt.txt");
    const unknown = await cook(UNKNOWN, [], noClaude);
    const missing = await cook(CLAUDE, [], noClaude);
    await writeFile(path.join(repo.home, ".gitconfig"), "[user]\n\tuseConfigOnly = true\n");
    const both = await cook(CLAUDE, [], noClaude);
    const nobody = await cook(FINE);
    const rootAndNobody = await cook(CLAUDE, [], { env: { IS_SANDBOX: "" } });
    const nobodyNeeded = await cook(FINE, ["--no-commit"]);

    expect([wrongOutside, noRepository, dirty].map(({ code }) => code)).toEqual([2, 3, 3]);
    expect([unknown, missing, nobody, nobodyNeeded].map(({ code }) => code)).toEqual([2, 3, 3, 0]);
    expect(wrongOutside.stderr).toMatch(/outside\.yml:1:3 [^]*did you mean/);
    expect(noRepository.stderr).toContain("git init");
    expect(dirty.stderr).toContain("dirt.txt");
    expect(unknown.stderr).toMatch(/mmm-code-review[^]*nothing was run/);
    expect(missing.stderr).toContain("/no/claude");
    expect(both.stderr).toContain("/no/claude");
    expect(nobody.stderr).toContain("git config");
    expect([both.code, rootAndNobody.code]).toEqual([3, 3]);
    expect(rootAndNobody.stderr).toContain("git config");
  });

  test("nothing was begun by any of them: no session, no state, no lock", async () => {
    const { cook, repo } = await open();

    await cook(WRONG);
    await cook(UNKNOWN);
    await cook(CLAUDE, [], { env: { MMM_CLAUDE_BIN: "/no/claude" } });

    await expect(repo.read(".mmm/state.json")).rejects.toThrow();
    expect(await repo.git("status", "--porcelain")).toBe("?? pb.yml");
  });

  test("no commit yet, a merge under way, and a directory that is gone are exit 3", async () => {
    const { cook, repo } = await open();
    const empty = await makeRepo({}, { commit: false });
    await writeFile(path.join(empty.root, "pb.yml"), FINE);

    await repo.git("checkout", "-q", "-b", "side");
    await repo.write("README.md", "side\n");
    await repo.commitAll("side");
    await repo.git("checkout", "-q", "main");
    await repo.write("README.md", "main\n");
    await repo.commitAll("main");
    await repo.git("merge", "side").catch(() => undefined);
    const merging = await cook(FINE);
    const unborn = await kitchen?.mmm(["cook", "pb.yml"], { cwd: empty.root, env: empty.env });
    await empty.dispose();

    expect(merging.code).toBe(3);
    expect(merging.stderr).toContain("merge");
    expect(unborn?.code).toBe(3);
    expect(unborn?.stderr).toContain("git commit");
  });

  test("another session at work in the tree is exit 3 with its name, before its dirt is told", async () => {
    const { cook, repo } = await open();
    await repo.write("other.yml", FINE);
    await repo.commitAll("playbook");

    const first = await cook(
      // the second mmm starts while this step runs
      `[{shell: 'touch dirt; "$NODE" "$MAIN" cook other.yml 2> ../said; echo $? >> ../said; rm dirt'}]`,
      [],
      { env: { NODE: process.execPath, MAIN: path.resolve("dist/main.js") } },
    );
    const after = await cook(FINE);

    expect([first.code, after.code]).toEqual([0, 0]);
    const said = await repo.read("../said");
    expect(said).toMatch(/another session is at work here: mmm-pb-\d+[^]*\n3\n$/);
  });
});
