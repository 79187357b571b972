/** From playbook to plan: what is decided before anything runs (spec 1, 2, 3.1, 5). */
import { describe, expect, test } from "vitest";
import type { Plan, PlannedStep } from "../../src/playbook/plan-model.ts";
import { conditionPlanner, planCondition } from "../../src/playbook/plan-condition.ts";
import { planPlaybook } from "../../src/playbook/plan.ts";
import type { PlanRequest } from "../../src/playbook/plan-request.ts";
import { readPlaybook } from "../../src/playbook/read.ts";

function planned(yaml: string, request: Partial<PlanRequest> = {}) {
  const { playbook, diagnostics } = readPlaybook("pb.yml", yaml);
  if (playbook === null) throw new Error(JSON.stringify(diagnostics));
  return planPlaybook(playbook, {
    inputs: { count: 0, allHaveFiles: true },
    maxIterations: null,
    environment: null,
    claude: { above: {}, below: {} },
    commandRules: new Map(),
    conditions: planCondition,
    ...request,
  });
}

function plan(yaml: string, request: Partial<PlanRequest> = {}): Plan {
  const { plan: made, diagnostics } = planned(yaml, request);
  if (made === null) throw new Error(JSON.stringify(diagnostics));
  return made;
}

function claudeStep(made: Plan, index = 0): Extract<PlannedStep, { kind: "claude" }> {
  const step = made.steps[index];
  if (step?.kind !== "claude") throw new Error("not a Claude step");
  return step;
}

describe("a condition that several steps have (spec 2.5)", () => {
  const twice = (condition: string): string =>
    `- {shell: make, condition: "${condition}"}\n- {shell: make, condition: "${condition}"}\n`;

  test("is compiled once", () => {
    const { steps } = plan(twice("${ITERATION} > 1"), { conditions: conditionPlanner() });

    expect(steps[0]?.condition?.references.size).toBe(1);
    expect(steps[1]?.condition).toBe(steps[0]?.condition);
  });

  test.each(["1 +", "${nobody} > 1"])("is told at each of them when it is wrong: %s", (wrong) => {
    const { diagnostics } = planned(twice(wrong), { conditions: conditionPlanner() });

    const [first, second] = diagnostics;
    expect(diagnostics).toHaveLength(2);
    expect(second?.message).toBe(first?.message);
    expect(second?.range.start).toBeGreaterThan(first?.range.end ?? Number.POSITIVE_INFINITY);
  });
});

describe("the bound (spec 1, --max-iterations)", () => {
  const inputs = { count: 2, allHaveFiles: false };

  test.each([
    { yaml: `[{claude: x y}]`, request: {}, bound: [10, "default"] },
    { yaml: `[{shell: make}]`, request: {}, bound: [1, "default"] },
    { yaml: `[{shell: make, on_failure: {claude: fix it}}]`, request: {}, bound: [10, "default"] },
    { yaml: `[{claude: x y}]`, request: { inputs }, bound: [1, "default"] },
    {
      yaml: `{max_iterations: 4, steps: [{claude: x y}]}`,
      request: { inputs },
      bound: [4, "playbook"],
    },
    {
      yaml: `{max_iterations: 4, steps: [{claude: x y}]}`,
      request: { maxIterations: 2 },
      bound: [2, "option"],
    },
  ])("$yaml with $request is $bound", ({ yaml, request, bound }) => {
    const { maxIterations, boundFrom } = plan(yaml, request);

    expect([maxIterations, boundFrom]).toEqual(bound);
  });
});

describe("options of Claude", () => {
  test("the step's beat --model, which beats the playbook's, which beat the environment's", () => {
    const made = plan(
      `
claude: {model: playbook, permission_mode: acceptEdits}
steps:
  - claude: {prompt: one two, model: step}
  - claude: "three"
`,
      {
        claude: { above: { model: "option" }, below: { model: "config", allowedTools: ["Bash"] } },
      },
    );

    expect(claudeStep(made, 0).options).toMatchObject({
      model: "step",
      permissionMode: "acceptEdits",
    });
    expect(claudeStep(made, 1).options).toEqual({
      model: "option",
      permissionMode: "acceptEdits",
      allowedTools: ["Bash"],
    });
  });

  test("the command is the first word after the slash; a path is plain text", () => {
    const made = plan(`["mmm-lint --fix", {claude: "/usr/bin/x is missing"}, {claude: "fix it"}]`);

    expect(made.steps.map((_step, index) => claudeStep(made, index).command)).toEqual([
      "mmm-lint",
      null,
      null,
    ]);
  });
});

describe("streams", () => {
  test("stdout and stderr are kept apart only where somebody reads one alone", () => {
    const made = plan(`
- {shell: a, id: a}
- {shell: b, id: b, on_failure: {shell: c, id: c}}
- {shell: d, outputs: {o: {capture: text}}}
- {shell: e, capture_output: true}
- {shell: f, outputs: {o2: {capture: text, from: both}}}
- {claude: "see \${b.output} \${a.stderr} \${c.stdout}"}
`);

    expect(made.steps.map(({ split }) => split)).toEqual([true, false, true, true, false, false]);
    expect(made.steps[1]?.onFailure?.steps[0]?.split).toBe(true);
  });
});

describe("places", () => {
  test("each step has its path and its line", () => {
    const made = plan(`
- shell: a
  on_failure:
    - shell: b
    - shell: c
  on_exit_code:
    7: {shell: d}
  on_success:
    shell: e
`);
    const [step] = made.steps;

    expect([step?.path, step?.place]).toEqual(["1", "pb.yml:2"]);
    expect(step?.onFailure?.steps.map(({ path, place }) => [path, place])).toEqual([
      ["1.on_failure.1", "pb.yml:4"],
      ["1.on_failure.2", "pb.yml:5"],
    ]);
    expect(step?.onExitCode.get(7)?.steps[0]?.path).toBe("1.on_exit_code.7.1");
    expect(step?.onSuccess[0]?.path).toBe("1.on_success.1");
  });
});

describe("references", () => {
  test("without a command line a missing input is a note (validate), and env is not checked", () => {
    const { plan: made, diagnostics } = planned(`[{claude: "do $ARG \${env.X}"}]`, {
      inputs: "unknown",
    });

    expect(made).not.toBeNull();
    expect(diagnostics.map(({ severity, code }) => [severity, code])).toEqual([
      ["note", "needs-input"],
    ]);
  });

  test("$ARGS and $ARGx are words, not references", () => {
    expect(claudeStep(plan(`[{claude: "$ARGx is $ARGS"}]`)).prompt.references).toEqual([]);
  });

  test("a handler's step can be referred to later, its own error only inside", () => {
    const { diagnostics } = planned(`
- shell: a
  on_failure: {shell: b, id: fix, on_success: {claude: "it was \${error.message}"}}
- claude: "see \${fix.output}"
`);

    expect(diagnostics).toEqual([]);
  });

  const leaning = (count: number): readonly string[] =>
    Array.from(
      { length: count },
      (_, n) => `- {shell: "printf %s \${s${n}.output}", id: s${n + 1}}`,
    );

  test("10 000 steps that lean on each other are all seen", () => {
    const { plan: made } = planned(`- {shell: x, id: s0}\n${leaning(10_000).join("\n")}`);

    expect(made?.steps).toHaveLength(10_001);
  });

  test("3000 steps that lean on what is not there are all told", () => {
    const wrong = leaning(3000).map((line) => line.replace(".output", "x.output"));

    expect(planned(wrong.join("\n")).diagnostics).toHaveLength(3000);
  });
});
