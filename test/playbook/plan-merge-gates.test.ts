/** Which gates see the outcome of a merge (spec 8.3). */
import { expect, test } from "vitest";
import { planCondition } from "../../src/playbook/plan-condition.ts";
import { mergeGates } from "../../src/playbook/plan-merge-gates.ts";
import { planPlaybook } from "../../src/playbook/plan.ts";
import { readPlaybook } from "../../src/playbook/read.ts";

function namesOf(yaml: string): readonly string[] {
  const { playbook, diagnostics } = readPlaybook("pb.yml", yaml);
  if (playbook === null) throw new Error(JSON.stringify(diagnostics));
  const { plan, diagnostics: more } = planPlaybook(playbook, {
    inputs: { count: 1, allHaveFiles: true },
    maxIterations: null,
    environment: { HOME: "/home/u" },
    claude: { above: {}, below: {} },
    commandRules: new Map(),
    conditions: planCondition,
    params: new Map(),
  });
  if (plan === null) throw new Error(JSON.stringify(more));
  return mergeGates(plan).map(({ name }) => name);
}

test("the gates that steps ask for, nested ones too, each once and in order; then the one of until", () => {
  const names = namesOf(`
gates: {unit: {shell: npm test}, docs: {shell: make docs}, done: {shell: test -f done}, unused: {shell: "false"}}
until: done
steps:
  - shell: a
    validation: [lint_clean, unit]
    on_failure: {max_attempts: 2, do: [{shell: b, validation: [docs, unit]}]}
  - foreach: [x, y]
    do: [{shell: c, validation: {build_passes: true}}]
  - shell: d
    on_success: [{shell: e, validation: {tests_pass: true, lint_clean: true}}]
`);
  expect(names).toEqual(["lint_clean", "unit", "docs", "build_passes", "tests_pass", "done"]);
});

test("metrics and expressions are left out: a merge has nothing to compare with, and no outputs", () => {
  const names = namesOf(`
gates:
  fast: {metric: {shell: ./bench}, must: not_regress}
  covered: {metric: {coverage: lcov.info, run: npm test}, must: increase}
  fine: {expression: "\${a.exit_code} == 0"}
until: "\${ITERATION} > 3"
steps:
  - {id: a, shell: a, validation: [fast, covered, fine]}
  - {shell: b, validation: {coverage_increased: true, performance_regression: false, tests_pass: true}}
`);
  expect(names).toEqual(["tests_pass"]);
});

test("a command is left out that refers to a step, an input, an iteration or the env of a step", () => {
  const names = namesOf(`
env: {MODE: all}
params: {level: {type: number, default: 1}}
gates:
  output: {shell: "echo \${a.output} \${PLAYBOOK}"}
  input: {shell: "test -f \${ARG}"}
  round: {shell: "test $ITERATION -gt 1"}
  item: {shell: "test -f \${item}"}
  own: {shell: "echo \${env.OWN}"}
  header: {shell: "echo \${env.MODE} \${env.HOME} \${params.level} \${PROJECT_ROOT}"}
  project: {shell: "\${project.test|raw}"}
steps:
  - {id: a, shell: a, env: {OWN: x}, validation: [own, input, round, header]}
  - {shell: b, validation: [output, project]}
  - {foreach: [x], do: [{shell: c, validation: [item]}]}
`);
  expect(names).toEqual(["header", "project"]);
});

test("a playbook without gates has none to run", () => {
  expect(namesOf("[{shell: a}]")).toEqual([]);
});
