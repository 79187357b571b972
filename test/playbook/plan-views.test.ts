/** What a plan says without running: known values, who needs whom, how often at most (spec 1, `--dry-run`). */
import { describe, expect, test } from "vitest";
import { dependenciesOf } from "../../src/playbook/plan-depends.ts";
import { planCondition } from "../../src/playbook/plan-condition.ts";
import { KnownTexts, type KnownValues } from "../../src/playbook/plan-known.ts";
import type { Plan, PlannedStep } from "../../src/playbook/plan-model.ts";
import { planPlaybook } from "../../src/playbook/plan.ts";
import { iterationRuns, MOST_RUNS, runsOf, times } from "../../src/playbook/plan-worst-case.ts";
import { readPlaybook } from "../../src/playbook/read.ts";

function plan(yaml: string, params: Plan["params"] = new Map()): Plan {
  const { playbook, diagnostics } = readPlaybook("pb.yml", yaml);
  if (playbook === null) throw new Error(JSON.stringify(diagnostics));
  const made = planPlaybook(playbook, {
    inputs: { count: 1, allHaveFiles: true },
    maxIterations: null,
    environment: null,
    claude: { above: {}, below: {} },
    commandRules: new Map(),
    conditions: planCondition,
    params,
  });
  if (made.plan === null) throw new Error(JSON.stringify(made.diagnostics));
  return made.plan;
}

describe("at most so many runs (spec 2.3)", () => {
  const runs = (yaml: string): unknown => runsOf(plan(yaml).steps);

  test("a handler stands between two attempts, on_success behind each", () => {
    expect(runs(`[{shell: a, on_failure: {max_attempts: 4, claude: fix it}}]`)).toEqual({
      claude: 3,
      shell: 4,
      analyze: 0,
      gates: 0,
    });
    expect(
      runs(`[{shell: a, on_failure: {max_attempts: 2, shell: b}, on_success: [{claude: c d}]}]`),
    ).toEqual({ claude: 2, shell: 3, analyze: 0, gates: 0 });
  });

  test("with max_attempts 1 the handler runs once; a failure has one handler, the dearest counts", () => {
    expect(runs(`[{shell: a, on_failure: {max_attempts: 1, shell: b}}]`)).toMatchObject({
      shell: 2,
    });
    expect(
      runs(`
- shell: a
  on_failure: {max_attempts: 3, do: [{shell: b}]}
  on_exit_code: {7: {max_attempts: 2, do: [{claude: c d}, {claude: e f}]}}
`),
    ).toEqual({ claude: 4, shell: 5, analyze: 0, gates: 0 });
  });

  test("gates run after each attempt, figures are taken once before them too, expressions run nothing", () => {
    const made = plan(`
gates: {fast: {metric: {shell: b}, must: not_regress}, fine: {expression: "1 == 1 || \${ITERATION} > 1"}, ok: {shell: c}}
until: ok
steps: [{shell: a, validation: [ok, fast, fine], on_failure: {max_attempts: 2, claude: fix it}}]
`);

    expect(runsOf(made.steps)).toMatchObject({ gates: 5 });
    expect(iterationRuns(made)).toMatchObject({ gates: 6, shell: 2, claude: 1 });
  });

  test("a gate whose command the project does not have is not counted; in a loop it counts for each item", () => {
    const made = plan(`
- foreach: [a, b, c]
  do: [{shell: a, validation: [{tests_pass: true}, {lint_clean: true}, {performance_regression: false}]}]
`);
    const commands = { test: "t", lint: null, build: null, format: null, bench: "b" };

    expect(runsOf(made.steps, commands)).toMatchObject({ shell: 3, gates: 9 });
    expect(runsOf(made.steps)).toMatchObject({ shell: 3, gates: 12 });
  });

  test("nested handlers multiply, and no product leaves the whole numbers", () => {
    expect(
      runs(`
- shell: a
  on_failure:
    max_attempts: 3
    do: [{shell: b, on_failure: {max_attempts: 3, do: [{claude: c d}]}}]
`),
    ).toEqual({ claude: 4, shell: 9, analyze: 0, gates: 0 });
    expect(times({ claude: 1, shell: MOST_RUNS - 1, analyze: 0, gates: 0 }, 1000)).toEqual({
      claude: 1000,
      shell: MOST_RUNS,
      analyze: 0,
      gates: 0,
    });
  });
});

describe("which step needs which (spec 3.1)", () => {
  const needs = (yaml: string): unknown =>
    Object.fromEntries(
      [...dependenciesOf(plan(yaml).steps)].map(([step, all]) => [
        step,
        all.map((each) => `${each.step}: ${each.references.join(" ")}`),
      ]),
    );

  test("ids, outputs by their plain name, the latest step, conditions, conversations", () => {
    expect(
      needs(`
- {shell: a, id: one, outputs: {word: {capture: text}}}
- {claude: "say \${word} \${one.exit_code}", id: talk}
- {shell: "b \${shell.output} \${claude.output}", condition: "\${one.success} && word != 'x'"}
- {claude: {prompt: more please, continue_session: true}}
- {shell: "c \${last.output}", env: {A: "\${talk.output}"}, commit_message: "\${one.word}"}
`),
    ).toEqual({
      "2": ["1: word one.exit_code"],
      "3": ["1: one.success word shell.output", "2: claude.output"],
      "4": ["2: continue_session"],
      "5": ["2: talk.output", "4: last.output", "1: one.word"],
    });
  });

  test("gates need the steps whose values they compare, be it in a loop; not the step they stand at", () => {
    expect(
      needs(`
gates:
  same: {shell: "test \${one.word} = \${two.word}"}
  high: {expression: "one.exit_code == two.exit_code"}
  size: {metric: {coverage: "\${one.word}.info", run: "make \${two.word}"}, must: increase}
steps:
  - {shell: a, id: one, outputs: {word: {capture: text}}}
  - {shell: b, id: two, outputs: {word: {capture: text}}, validation: [same, high, size]}
  - {foreach: [x], do: [{shell: c, validation: same}]}
`),
    ).toEqual({
      "2": ["1: one.word one.exit_code"],
      "3.do.1": ["1: one.word", "2: two.word"],
    });
  });

  test("a handler needs the step that failed; no step needs itself", () => {
    expect(
      needs(`
- shell: a
  id: a
  commit_message: "after \${a.exit_code}"
  on_failure:
    do: [{shell: "b \${error.message}"}, {claude: "c \${shell.output} \${last.output}"}]
`),
    ).toEqual({
      "1.on_failure.1": ["1: error.message"],
      "1.on_failure.2": ["1: shell.output", "1.on_failure.1: last.output"],
    });
  });
});

describe("what is known before anything runs", () => {
  const values: KnownValues = {
    variables: new Map<string, string | null>([
      ["FILE", "a b.md"],
      ["ARG", null],
    ]),
    params: new Map([["list", ["x", "y"]]]),
    environment: (name) => (name === "HERE" ? "here" : null),
    project: null,
    isSecret: (name) => name === "KEY",
  };
  const firstText = (text: string, env = "{}"): unknown => {
    const made = plan(
      `{params: {list: {type: list}}, env: ${env}, steps: [{shell: a, id: s}, {claude: ${JSON.stringify(text)}}]}`,
    );
    const texts = new KnownTexts(values);
    texts.declare(made.env);
    const [, step] = made.steps as readonly [PlannedStep, Extract<PlannedStep, { kind: "claude" }>];
    return texts.text(step.prompt);
  };

  test("values stand in the text, marks for those of steps, each told once", () => {
    expect(
      firstText("do ${FILE} ${params.list} ${params.list[1]} $${x} ${s.output} ${s.output}"),
    ).toEqual({
      text: "do a b.md x y y ${x} <s.output> <s.output>",
      open: ["s.output"],
    });
  });

  test("a fallback stands for what is empty, not for what is not known yet", () => {
    expect(
      firstText("do ${ARG:-none} ${env.HERE:-x} ${env.GONE:-gone} ${s.output:-nothing}"),
    ).toEqual({
      text: "do none here gone <s.output>",
      open: ["s.output"],
    });
  });

  test("env of the header is followed, secrets are ***, and what a value holds is never looked through", () => {
    expect(
      firstText("do ${env.A} ${env.KEY}", `{A: "$\${FILE} \${FILE} $ITERATION", KEY: k}`),
    ).toEqual({
      text: "do ${FILE} a b.md <ITERATION> ***",
      open: ["ITERATION"],
    });
  });
});
