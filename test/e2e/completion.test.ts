/** `mmm completion` in the shells themselves (spec 1): what a user gets who types, presses Tab and then Enter. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { mainFile } from "../support/run-cli.ts";

/** Names that a shell would trip over, or run. */
const AWKWARD = [
  "my play.yml",
  "it's $(touch pwned) `touch pwned`.yml",
  'q"uote;touch pwned.yml',
  "a:b=c.yml",
  "-dash.yml",
  "ünï.yml",
  "back\\slash.yml",
];

/** Typed up to Tab, and the arguments that mmm gets. */
const CASES: readonly (readonly [typed: string, args: readonly string[]])[] = [
  ["mmm coo", ["cook"]],
  ["mmm cook my", ["cook", "my play.yml"]],
  ["mmm cook 'my", ["cook", "my play.yml"]],
  ['mmm cook "my', ["cook", "my play.yml"]],
  ["mmm cook my\\ ", ["cook", "my play.yml"]],
  ["mmm cook it", ["cook", "it's $(touch pwned) `touch pwned`.yml"]],
  ['mmm cook q\\"', ["cook", 'q"uote;touch pwned.yml']],
  ["mmm cook a:", ["cook", "a:b=c.yml"]],
  ["mmm cook ./-", ["cook", "./-dash.yml"]],
  ["mmm cook ün", ["cook", "ünï.yml"]],
  ["mmm cook bac", ["cook", "back\\slash.yml"]],
  ["mmm cook playbooks/in", ["cook", "playbooks/in folder.yaml"]],
  ["mmm cook tdd --reporter pl", ["cook", "tdd", "--reporter", "plain"]],
  ["mmm cook tdd --reporter=pl", ["cook", "tdd", "--reporter=plain"]],
  ["mmm cook --model x --skip", ["cook", "--model", "x", "--skip-analysis"]],
  ["mmm -v sessions sh", ["-v", "sessions", "show"]],
  ["mmm completion z", ["completion", "zsh"]],
];

let kitchen: Kitchen;
let env: Record<string, string>;
let session = "";

beforeAll(async () => {
  kitchen = await openKitchen();
  const { repo } = kitchen;
  await kitchen.cook('[{shell: "exit 3"}]');
  session = path.basename(kitchen.session());
  for (const name of [...AWKWARD, "new\nline.yml", "playbooks/in folder.yaml"]) {
    await repo.write(name, "- shell: x\n");
  }
  await repo.write("docker-compose.yml", "services: {}\n");
  await repo.write("playbook.json", '[{"shell": "true"}]');
  await repo.write("package.json", '{"name": "x"}');
  const bin = path.join(repo.base, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, path.join(bin, "node"));
  symlinkSync(mainFile, path.join(bin, "mmm"));
  env = {
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    HOME: repo.base,
    LC_ALL: "C.UTF-8",
    TERM: "dumb",
    GIT_CONFIG_NOSYSTEM: "1",
  };
});
afterAll(async () => kitchen.dispose());

const has = (shell: string): boolean => spawnSync("sh", ["-c", `command -v ${shell}`]).status === 0;

function run(shell: string, args: readonly string[], input = ""): string {
  const options = {
    cwd: kitchen.repo.root,
    env,
    input,
    encoding: "utf8" as const,
    timeout: 60_000,
  };
  const { stdout, error } = spawnSync(shell, args, options);
  if (error !== undefined) throw error;
  return stdout;
}

const got = (output: string): readonly string[] =>
  [...output.matchAll(/GOT:(<.*>)\r?$/gmu)].map((match) => match[1] ?? "");
const expected = (): readonly string[] => CASES.map(([, args]) => `<${args.join("><")}>`);

/** Nothing that stood in a name was run. */
function expectNoHarm(): void {
  expect(readdirSync(kitchen.repo.root).filter((name) => name.startsWith("pwned"))).toEqual([]);
}

describe("mmm completion", () => {
  test("prints a script that bash takes, and refuses another shell with exit 2", async () => {
    const script = await kitchen.mmm(["completion", "bash"]);
    const other = await kitchen.mmm(["completion", "powershell"]);

    expect(spawnSync("bash", ["-n"], { input: script.stdout }).status).toBe(0);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("bash, zsh, fish");
  });

  test("offers commands, options, values, playbooks and sessions, and nothing that is hidden or odd", async () => {
    const ask = async (...words: readonly string[]): Promise<readonly string[]> => {
      const { stdout, code } = await kitchen.mmm(["__complete", "--", "zsh", ...words]);
      expect(code).toBe(0);
      return stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t")[0] ?? "");
    };

    const commands = await ask("");
    const playbooks = await ask("cook", "");

    expect(commands).toEqual(expect.arrayContaining(["words", "cook", "resume", "completion"]));
    expect(commands.filter((each) => ["improve", "__complete"].includes(each))).toEqual([]);
    expect(playbooks).toEqual(
      expect.arrayContaining([
        "files",
        "playbook.json",
        "./-dash.yml",
        "playbooks/in folder.yaml",
        "tdd",
      ]),
    );
    const odd = ["docker-compose.yml", "package.json", "line.yml", "new"];
    expect(playbooks.filter((each) => odd.includes(each))).toEqual([]);
    expect(await ask("cook", "-")).toEqual(
      expect.arrayContaining(["--max-cost", "--verbose", "--no-emoji"]),
    );
    expect(await ask("cook", "-")).toContain("--parallel");
    expect(await ask("cook", "--path", "")).toEqual(["directories"]);
    expect(await ask("cook", "--record", "")).toEqual(["paths"]);
    expect(await ask("cook", "-n", "3", "--", "-")).toContain("tdd");
    expect(await ask("cook", "a.yml", "")).toEqual(["words"]);
    expect(await ask("validate", "a.yml", "")).toContain("tdd");
    for (const words of [
      ["resume", ""],
      ["sessions", "show", ""],
      ["sessions", "rm", "x", ""],
      ["cook", "--resume", ""],
    ]) {
      expect(await ask(...words)).toEqual(["words", session]);
    }
    expect(await ask("sessions", "rm", session, "")).toEqual(["words"]);
  });

  test("outside of a repository there are no sessions, and no word about it", async () => {
    const asked = await kitchen.mmm(["__complete", "--", "fish", "resume", ""], {
      cwd: kitchen.repo.base,
    });

    expect(asked).toMatchObject({ code: 0, stdout: "words\n", stderr: "" });
  });
});

describe("in the shell", () => {
  test("bash completes and quotes each name as the data it is", () => {
    const setUp =
      "source <(mmm completion bash)\nmmm() { printf 'GOT:'; printf '<%s>' \"$@\"; echo; }\n";

    const output = run(
      "bash",
      ["--norc", "--noprofile", "-i"],
      `${setUp}${CASES.map(([typed]) => `${typed}\t\n`).join("")}exit\n`,
    );

    expect(got(output)).toEqual(expected());
    expectNoHarm();
  });

  test.skipIf(!has("zsh"))("zsh completes and quotes each name as the data it is", () => {
    const driver = path.join(kitchen.repo.base, "driver.zsh");
    writeFileSync(driver, ZSH_DRIVER);

    const output = run("zsh", ["-f", driver, ...CASES.map(([typed]) => typed)]);

    expect(got(output)).toEqual(expected());
    expectNoHarm();
  });

  test.skipIf(!has("fish"))("fish offers each name, with what it is", () => {
    const lines = (typed: string): readonly string[] =>
      run("fish", [
        "--no-config",
        "-c",
        `mmm completion fish | source; complete -C ${JSON.stringify(typed).replaceAll("$", "\\$")}`,
      ])
        .split("\n")
        .filter((line) => line !== "");

    expect(lines("mmm coo")).toEqual(["cook\trun a playbook"]);
    expect(lines("mmm cook my")).toEqual(["my play.yml\tplaybook"]);
    expect(lines("mmm cook it")).toEqual(["it's $(touch pwned) `touch pwned`.yml\tplaybook"]);
    expect(lines("mmm cook tdd --reporter pl")).toEqual(["plain"]);
    expect(lines("mmm cook tdd --reporter=pl")).toEqual(["--reporter=plain"]);
    expect(lines("mmm sessions show ")).toEqual([`${session}\tfailed pb.yml`]);
    expect(lines("mmm cook --path pl")).toEqual([expect.stringContaining("playbooks/")]);
    expectNoHarm();
  });
});

/** zsh completes at a terminal alone: one of its own makes it. */
const ZSH_DRIVER = `
zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell 'autoload -Uz compinit && compinit -D -u; PS1=; source <(mmm completion zsh)'
zpty -w shell 'mmm() { print -rn -- GO; print -r -- "T:<\${(j:><:)@}>" }; print READY$((1 + 1))'
zpty -r shell out '*READY2*'
for typed in "$@"; do
  zpty -w -n shell $typed$'\\t\\n'
  zpty -r shell out $'*GOT:*>\\r\\n'
  print -r -- $out
done
zpty -d shell
`;
