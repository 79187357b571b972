/** Every example names only what is there; the demo's recording holds code that really does what its story says. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { shippedCommands } from "../../src/app/shipped-commands.ts";
import { useScratch } from "../support/scratch-repo.ts";

const packageRoot = path.join(import.meta.dirname, "../..");
const folder = path.join(packageRoot, "examples");
const playbooks = readdirSync(folder).filter((file) => file.endsWith(".yml"));
const shipped = await shippedCommands(packageRoot);
const scratch = useScratch();

/** The commands a playbook calls, wherever they stand in it. */
function commandsIn(node: unknown): readonly string[] {
  if (typeof node === "string") return /^\/?(mmm-[\w-]+)/u.exec(node)?.slice(1) ?? [];
  if (typeof node !== "object" || node === null) return [];
  const isHeader = "steps" in node || "commands" in node;
  return Object.entries(node).flatMap(([key, value]) =>
    isHeader && key !== "steps" && key !== "commands" ? [] : commandsIn(value),
  );
}

describe("the shipped examples", () => {
  it.each(playbooks)("%s is YAML and calls only commands that are shipped (spec 9.3)", (file) => {
    const playbook: unknown = parse(readFileSync(path.join(folder, file), "utf8"));

    const called = commandsIn(playbook);

    expect(called.length).toBeGreaterThan(0);
    expect([...shipped.keys()]).toEqual(expect.arrayContaining([...called]));
  });

  it("call every command that is shipped", () => {
    const called = playbooks.flatMap((file) =>
      commandsIn(parse(readFileSync(path.join(folder, file), "utf8"))),
    );

    expect([...new Set(called)].sort()).toEqual([...shipped.keys()]);
  });

  it("that take outputs by pattern ask for the file their command promises", () => {
    const asked = playbooks.flatMap((file) => {
      const text = readFileSync(path.join(folder, file), "utf8");
      const found = text.matchAll(
        /claude: "\/(mmm-[\w-]+)[^]*?file_pattern: "(?:specs\/temp\/)?\*-([\w-]+)\.md"/gu,
      );
      return [...found].map((match) => ({ command: match[1] ?? "", ending: match[2] ?? "" }));
    });

    expect(asked.length).toBeGreaterThanOrEqual(5);
    for (const { command, ending } of asked) {
      expect(shipped.get(command)?.text).toContain(`specs/temp/iteration-<ts>-${ending}.md`);
    }
  });

  it.each(playbooks)("%s says in its first lines how it is called", (file) => {
    const head = readFileSync(path.join(folder, file), "utf8").split("\n").slice(0, 4).join("\n");

    expect(head).toContain(`#   mmm cook ${file.slice(0, -".yml".length)}`);
  });
});

interface Change {
  readonly path: string;
  readonly content?: string;
  readonly delete?: true;
}

interface Call {
  readonly commits?: readonly { readonly subject: string; readonly changes: readonly Change[] }[];
}

function recordedCalls(): readonly Call[] {
  const lines = readFileSync(path.join(folder, "demo.recording.jsonl"), "utf8").trim().split("\n");
  const [header, ...calls] = lines.map((line) => JSON.parse(line) as unknown);
  expect(header).toMatchObject({ v: 1, kind: "recording" });
  return calls as readonly Call[];
}

function apply(root: string, call: Call | undefined): void {
  for (const change of call?.commits?.flatMap((commit) => commit.changes) ?? []) {
    const file = path.join(root, change.path);
    if (change.delete === true) rmSync(file);
    else {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, change.content ?? "");
    }
  }
}

/** Names of the tests that fail, by the program's own test run. */
function failingTests(root: string): readonly string[] {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ["--test", "--test-reporter=tap"], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  const failing = [...run.stdout.matchAll(/^not ok \d+ - (.+)$/gmu)].map((match) => match[1] ?? "");
  expect(run.status).toBe(failing.length === 0 ? 0 : 1);
  return failing.filter((name) => !name.endsWith(".js"));
}

describe("the demo", () => {
  it("starts with a failing test, is broken by the implementation, repaired, and tidied up", () => {
    const root = path.join(scratch.folder(), "demo");
    cpSync(path.join(folder, "demo-project"), root, { recursive: true });
    const [review, implement, repair, lint, again] = recordedCalls();

    const states = [failingTests(root)];
    for (const call of [review, implement, repair, lint]) {
      apply(root, call);
      states.push(failingTests(root));
    }

    expect(states).toEqual([
      ["is exact to the cent"],
      ["is exact to the cent"],
      ["gives nothing off below 100", "prints a line for each item and the total"],
      [],
      [],
    ]);
    expect(again?.commits).toBeUndefined();
  });

  it("commits with the subjects that the shipped commands promise", () => {
    const subjects = recordedCalls().flatMap((call) =>
      (call.commits ?? []).map((commit) => commit.subject),
    );

    expect(subjects).toEqual([
      "review: generate improvement spec for iteration-1-improvements",
      "fix: apply improvements from spec iteration-1-improvements",
      "fix: resolve test failures from implementation",
      "style: apply automated formatting and lint fixes",
    ]);
  });

  it("prints the same receipt before and after: what was wrong are the amounts inside", () => {
    const root = path.join(scratch.folder(), "demo");
    cpSync(path.join(folder, "demo-project"), root, { recursive: true });
    const receipt = (): string =>
      spawnSync(process.execPath, ["src/cli.js", "order.json"], { cwd: root, encoding: "utf8" })
        .stdout;
    const before = receipt();

    for (const call of recordedCalls()) apply(root, call);

    expect(before).toBe("4 x Tea: 10.00\n3 x Biscuits: 3.30\nTotal: 15.96\n");
    expect(receipt()).toBe(before);
  });
});
