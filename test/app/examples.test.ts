/** Every example names only what is there; the demo's recording holds code that really does what its story says. */
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { shippedCommands } from "../../src/app/shipped-commands.ts";
import { parseRecording } from "../../src/claude/recording.ts";
import { createReplayPort } from "../../src/claude/replay.ts";
import type { ClaudeReport } from "../../src/engine/ports.ts";
import { undeclaredOutputs } from "../../src/playbook/command-outputs.ts";
import { captureValue } from "../../src/engine/capture.ts";
import { everyStep } from "../../src/playbook/plan-steps.ts";
import { planCondition } from "../../src/playbook/plan-condition.ts";
import { planRead } from "../../src/playbook/plan-read.ts";
import { readPlaybook } from "../../src/playbook/read.ts";
import { missingSpecs } from "../../src/playbook/spec-source.ts";
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
  it.each(playbooks)("%s is read without a problem or a note", (file) => {
    const { playbook, diagnostics } = readPlaybook(file, readFileSync(path.join(folder, file)));

    expect(diagnostics).toEqual([]);
    expect(playbook?.name).toBe(file.slice(0, -".yml".length));
  });

  it.each(playbooks)("%s is YAML and calls only commands that are shipped (spec 9.3)", (file) => {
    const playbook: unknown = parse(readFileSync(path.join(folder, file), "utf8"));

    const called = commandsIn(playbook);

    expect(called.length).toBeGreaterThan(0);
    expect([...shipped.keys()]).toEqual(expect.arrayContaining([...called]));
  });

  it("call every command that is shipped, but for the one that `mmm worktree merge` calls", () => {
    const called = playbooks.flatMap((file) =>
      commandsIn(parse(readFileSync(path.join(folder, file), "utf8"))),
    );

    expect([...new Set(called), "mmm-merge-worktree"].sort()).toEqual([...shipped.keys()]);
  });

  it.each(playbooks)(
    "%s is planned without a word, and takes outputs that its commands declare",
    (file) => {
      const read = readPlaybook(file, readFileSync(path.join(folder, file)));
      const rules = new Map([...shipped].map(([name, command]) => [name, command.rules] as const));

      const { diagnostics } = planRead(read, {
        inputs: "unknown",
        maxIterations: null,
        environment: null,
        claude: { above: {}, below: {} },
        commandRules: rules,
        conditions: planCondition,
      });

      expect(diagnostics.filter(({ code }) => code !== "needs-input")).toEqual([]);
      expect(read.playbook && undeclaredOutputs(read.playbook, rules, () => true)).toEqual([]);
      expect(read.playbook && missingSpecs(read.playbook, rules)).toEqual([]);
    },
  );

  it.each(playbooks)("%s ends in a gate, and one that is no loop says so (spec 9.4)", (file) => {
    const { playbook } = readPlaybook(file, readFileSync(path.join(folder, file)));

    expect(playbook?.steps.at(-1)?.validation.length).toBeGreaterThan(0);
    const isEndless = ["default.yml", "improve.yml"].includes(file);
    expect(playbook?.maxIterations === null).toBe(isEndless);
  });

  it.each(playbooks)("%s speaks of no language, unless it says which in its name", (file) => {
    const text = readFileSync(path.join(folder, file), "utf8");

    const isOfOne = /^(?:rust|demo)/u.test(file);
    expect(
      /\b(?:cargo|npm|pnpm|pytest|node --test|make test|just test|go test)\b/u.test(text),
    ).toBe(isOfOne);
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

  it("that say themselves how an output is read, find it in what the command promises to print", () => {
    const read = playbooks.flatMap((file) => {
      const { playbook } = readPlaybook(file, readFileSync(path.join(folder, file)));
      return [...everyStep(playbook?.steps ?? [])].flatMap((step) => {
        const name = step.kind === "claude" ? /^\/(mmm-[\w-]+)/u.exec(step.prompt.value)?.[1] : "";
        return step.outputs.flatMap(({ rule, name: output }) =>
          name !== undefined && name !== "" && rule?.kind === "capture"
            ? [{ place: `${file} ${output}`, name, rule }]
            : [],
        );
      });
    });

    expect(read.length).toBeGreaterThanOrEqual(2);
    for (const { place, name, rule } of read) {
      const printed = shipped.get(name)?.text.split("## Print last")[1] ?? "";
      const taken = captureValue(printed, rule);
      expect({ place, ok: taken.ok && taken.value !== 0 && taken.value !== null }).toEqual({
        place,
        ok: true,
      });
    }
  });

  it.each(playbooks)("%s says in its first lines how it is called", (file) => {
    const head = readFileSync(path.join(folder, file), "utf8").split("\n").slice(0, 4).join("\n");

    expect(head).toContain(`#   mmm cook ${file.slice(0, -".yml".length)}`);
  });
});

const recording = parseRecording(
  readFileSync(path.join(folder, "demo.recording.jsonl"), "utf8"),
  "demo.recording.jsonl",
);

/** A repository of the demo's project, and the recorded Claude to call in it. */
function stage(): {
  readonly root: string;
  readonly claude: (prompt: string) => Promise<ClaudeReport>;
} {
  const root = scratch.folder();
  cpSync(path.join(folder, "demo-project"), root, { recursive: true });
  scratch.git(root, "init", "--quiet");
  scratch.git(root, "add", "--all");
  scratch.git(root, "commit", "--quiet", "-m", "chore: start");
  const logs = scratch.folder();
  const port = createReplayPort({ calls: recording, file: "demo.recording.jsonl" });
  const claude = async (prompt: string): Promise<ClaudeReport> =>
    port.run(
      {
        cwd: root,
        env: {},
        timeoutMs: null,
        prompt,
        options: {},
        step: "",
        eventsFile: path.join(logs, "events.jsonl"),
        logFile: path.join(logs, "log.txt"),
      },
      new AbortController().signal,
    );
  return { root, claude };
}

/** The names of the tests that fail and all that was printed, by the program's own test run. */
function runTests(root: string): { readonly failing: readonly string[]; readonly output: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ["--test", "--test-reporter=tap"], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  const failing = [...run.stdout.matchAll(/^not ok \d+ - (.+)$/gmu)].map((match) => match[1] ?? "");
  expect(run.status).toBe(failing.length === 0 ? 0 : 1);
  return { failing, output: run.stdout };
}

describe("the demo", () => {
  it("starts with a failing test, is broken by the implementation, repaired, tidied up, and then at an end", async () => {
    const { root, claude } = stage();
    const spec = "specs/temp/iteration-1-improvements.md";

    const start = runTests(root);
    const review = await claude("/mmm-code-review");
    const specText = readFileSync(path.join(root, spec), "utf8");
    const implement = await claude(`/mmm-implement-spec ${spec}`);
    const broken = runTests(root);
    const repair = await claude(`/mmm-debug-test-failure --spec ${spec} --output ${broken.output}`);
    const repaired = runTests(root);
    const lint = await claude("/mmm-lint");
    const end = runTests(root);
    const head = scratch.git(root, "rev-parse", "HEAD");
    const again = await claude("/mmm-code-review");

    for (const report of [review, implement, repair, lint, again]) {
      expect(report.verdict).toEqual({ ok: true });
      expect(report.usage?.costUsd).toBe(0);
    }
    expect(start.failing).toEqual(["is exact to the cent"]);
    expect(specText).toContain("## Done when");
    expect(broken.failing).toEqual([
      "gives nothing off below 100",
      "prints a line for each item and the total",
    ]);
    expect(repaired.failing).toEqual([]);
    expect(end.failing).toEqual([]);
    expect(again.text).toContain("No issues found");
    expect(scratch.git(root, "rev-parse", "HEAD")).toBe(head);
    expect(scratch.git(root, "status", "--porcelain")).toBe("");
    expect(scratch.git(root, "log", "--reverse", "--format=%s").trim().split("\n")).toEqual([
      "chore: start",
      "review: generate improvement spec for iteration-1-improvements",
      "fix: apply improvements from spec iteration-1-improvements",
      "fix: resolve test failures from implementation",
      "style: apply automated formatting and lint fixes",
    ]);
  });

  it("asks for nothing that the recording does not hold, in the order of demo.yml", () => {
    const playbook = parse(readFileSync(path.join(folder, "demo.yml"), "utf8")) as {
      readonly steps: unknown;
    };

    const asked = commandsIn(playbook);
    const held = recording.map((call) => /^\/(\S+)/u.exec(call.prompt ?? call.match ?? "")?.[1]);

    expect(held).toEqual([...asked, asked[0]]);
  });
});
