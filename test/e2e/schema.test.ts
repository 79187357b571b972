/** `mmm schema` (spec 1), and what a YAML language server makes of it. */
import { mkdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { LanguageServer } from "../support/language-server.ts";
import { runCli } from "../support/run-cli.ts";

let kitchen: Kitchen | null = null;
let server: LanguageServer | null = null;
const open = async (): Promise<Kitchen> => (kitchen = await openKitchen());

afterEach(async () => {
  await server?.stop();
  await kitchen?.dispose();
  server = null;
  kitchen = null;
});

const FILE = ".mmm/playbook.schema.json";

describe("mmm schema", () => {
  test("prints the schema, and --write puts the same into .mmm at the repository's top", async () => {
    const { repo, mmm } = await open();
    await repo.write("sub/dir/x", "");
    const cwd = path.join(repo.root, "sub", "dir");

    const printed = await mmm(["schema"]);
    const wrote = await mmm(["schema", "--write"], { cwd });
    const again = await mmm(["schema", "--write"], { cwd });

    expect(printed).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(printed.stdout)).toHaveProperty("definitions.step.properties.timeout");
    expect(await readFile(path.join(repo.root, FILE), "utf8")).toBe(printed.stdout);
    expect(wrote.stdout).toMatch(/^wrote \.\.\/\.\.\/\.mmm\/playbook\.schema\.json\n/);
    expect(again.stdout).toMatch(/^unchanged \.\.\/\.\.\/\.mmm\/playbook\.schema\.json\n/);
    expect(wrote.stdout).toContain(
      " # yaml-language-server: $schema=../.mmm/playbook.schema.json\n",
    );
  });

  test("--write FILE writes there, through a symlink too", async () => {
    const { repo, mmm } = await open();
    await repo.write("real.json", "old");
    await symlink("real.json", path.join(repo.root, "link.json"));

    const named = await mmm(["schema", "--write", "a b/c.json"]);
    const linked = await mmm(["schema", "--write", "link.json"]);

    expect(named.stdout).toMatch(/^wrote a b\/c\.json\n/);
    expect(linked.stdout).toMatch(/^wrote real\.json\n/);
    const { stdout } = await mmm(["schema"]);
    for (const file of ["a b/c.json", "real.json"]) {
      expect(await readFile(path.join(repo.root, file), "utf8")).toBe(stdout);
    }
  });

  test("--write without a repository writes below the directory", async () => {
    const { repo } = await open();
    const cwd = path.join(repo.base, "elsewhere");
    await mkdir(cwd);

    const wrote = await runCli(["schema", "--write"], { cwd });

    expect(wrote.stdout).toMatch(/^wrote \.mmm\/playbook\.schema\.json\n/);
    expect(await readFile(path.join(cwd, FILE), "utf8")).toContain("draft-07");
  });

  test("what cannot be written is exit 3, and says so", async () => {
    const { repo, mmm } = await open();
    await repo.write(".mmm/playbook.schema.json/x", "");
    await repo.write("file", "");

    const folder = await mmm(["schema", "--write"]);
    const named = await mmm(["schema", "--write", "."]);
    const below = await mmm(["schema", "--write", "file/x.json"]);

    expect([folder.code, named.code, below.code]).toEqual([3, 3, 3]);
    expect(folder.stderr).toContain("is not a file, nothing was written");
    expect(named.stderr).toContain(". is a directory, nothing was written");
    expect(below.stderr).toContain("cannot write to");
  });
});

describe("a YAML language server with the modeline", () => {
  async function editor(): Promise<{ file: string; line: string; server: LanguageServer }> {
    const { repo, mmm } = await open();
    const { stdout } = await mmm(["schema", "--write"]);
    const line = /# yaml-language-server: .*/.exec(stdout)?.[0] ?? "";
    server = await LanguageServer.start(repo.root);
    return { file: path.join(repo.root, "playbooks", "x.yml"), line, server };
  }
  const labels = (list: readonly { readonly label: string }[]): readonly string[] =>
    list.map(({ label }) => label);

  test("offers the header's keys with their documentation, and no old form", async () => {
    const { file, line, server } = await editor();
    await server.open(file, `${line}\n\n`);

    const offered = await server.completions(file, 1, 0);

    expect(labels(offered)).toEqual(
      expect.arrayContaining(["name", "steps", "max_iterations", "params", "limits"]),
    );
    expect(labels(offered)).not.toContain("config");
    expect(offered.filter(({ documentation }) => (documentation ?? "") === "")).toEqual([]);
  });

  test("offers keys in a step, in its claude and in an output, and the values of a key", async () => {
    const { file, line, server } = await editor();
    const text = `${line}
steps:
  - claude:
      prompt: x
      permission_mode: 
    outputs:
      x: {capture: json, f: 1}
    timeout: 5m
`;
    await server.open(file, text);

    const [step, claude, modes, output] = [
      labels(await server.completions(file, 7, 4)),
      labels(await server.completions(file, 3, 6)),
      labels(await server.completions(file, 4, 23)),
      labels(await server.completions(file, 6, 25)),
    ];

    expect(step).toEqual(
      expect.arrayContaining(["id", "condition", "on_failure", "commit_message"]),
    );
    expect(step).not.toEqual(expect.arrayContaining(["metadata"]));
    expect(claude).toEqual(expect.arrayContaining(["model", "max_turns", "output_schema"]));
    expect(modes).toEqual(expect.arrayContaining(["plan", "acceptEdits"]));
    expect(output).toEqual(expect.arrayContaining(["path", "pattern", "from"]));
  });

  test("shows what a key means and its default", async () => {
    const { file, line, server } = await editor();
    await server.open(file, `${line}\nmax_iterations: 3\nsteps:\n  - shell: x\n    timeout: 5m\n`);

    const header = await server.hover(file, 1, 3);
    const step = await server.hover(file, 4, 6);

    expect(header).toContain("Passes over the steps, 1 to 1000. Default: 10 with");
    expect(step).toContain("For one run: seconds");
  });

  test("marks a wrong key and a wrong value where they stand, and nothing in a playbook that is right", async () => {
    const { file, line, server } = await editor();

    const wrong = await server.open(
      file,
      `${line}\nsteps:\n  - shell: x\n    timout: 5m\n  - shell: y\n    timeout: soon\n`,
    );
    const right = await server.open(
      path.join(path.dirname(file), "right.yml"),
      `${line}\nsteps:\n  - mmm-lint\n  - test: npm test\n    on_failure: {claude: /mmm-fix, max_attempts: 2}\n    timeout: 1h30m\n`,
    );

    expect(
      wrong.map(({ message, range }) => [range.start.line, range.start.character, message]),
    ).toEqual([
      [3, 4, expect.stringContaining("timout")],
      [5, 13, expect.stringContaining("a number of seconds")],
    ]);
    expect(right).toEqual([]);
  });
});
