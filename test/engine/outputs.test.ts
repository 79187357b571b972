/** Declared outputs (spec 3.3): what is taken, and what is said when it cannot be had. */
import { describe, expect, test } from "vitest";
import { captureValue } from "../../src/engine/capture.ts";
import { takeOutputs } from "../../src/engine/outputs.ts";
import { newRecord } from "../../src/engine/scope.ts";
import type { OutputRule } from "../../src/playbook/model.ts";
import { readPlaybook } from "../../src/playbook/read.ts";
import { FakeWorld, play } from "../support/fake-ports.ts";

type CaptureRule = Extract<OutputRule, { kind: "capture" }>;

function capture(text: string, rule: Partial<CaptureRule>): unknown {
  const taken = captureValue(text, { kind: "capture", capture: "text", from: "stdout", ...rule });
  return taken.ok ? taken.value : taken.error;
}

describe("capture (spec 3.3)", () => {
  test.each([
    // text, rule, value
    ["a\nb\n\r\n", {}, "a\nb"],
    ["v1.2 built\n", { pattern: "/v([0-9.]+)/" }, "1.2"],
    ["v1.2 built\n", { pattern: "/V[0-9]/i" }, "v1"],
    ["say a.b now", { pattern: "a.b" }, "a.b"],
    ['log {"a": {"b": "deep"}}', { path: "$.a.b" }, "deep"],
    ['{"v": "v1.2"}', { path: "$.v", pattern: "/[0-9.]+/" }, "1.2"],
    ["a\r\nb\n\nc", { capture: "lines" }, ["a", "b", "", "c"]],
    ["", { capture: "lines" }, []],
    ["x.ts ok\ny.js ok\n", { capture: "lines", pattern: ".ts" }, ["x.ts ok"]],
    ['{"f": ["a", 2]}', { capture: "lines", path: "$.f" }, ["a", "2"]],
    ['{"f": "a\\nb"}', { capture: "lines", path: "$.f" }, ["a", "b"]],
    [" 42 \n", { capture: "number" }, 42],
    ["cov: 81.5%", { capture: "number", pattern: "/([0-9.]+)%/" }, 81.5],
    ['{"n": -3}', { capture: "number", path: "$.n" }, -3],
    ['{"n": "7"}', { capture: "number", path: "$.n" }, 7],
    ["TRUE\n", { capture: "boolean" }, true],
    ['{"ok": false}', { capture: "boolean", path: "$.ok" }, false],
    ["err a\nerr b", { capture: "count", pattern: "err" }, 2],
    ["nothing", { capture: "count", pattern: "/e[r]+/" }, 0],
    ["aaaa", { capture: "count", pattern: "aa" }, 2],
    ['{"a": 1}', { capture: "json" }, { a: 1 }],
    ["null", { capture: "json" }, null],
    ["5", { capture: "json" }, 5],
    ['said {"a": 1} then {"a": 2}.', { capture: "json" }, { a: 2 }],
    ['```json\n{"a": 1}\n```\nand\n```\n[2]\n```\n', { capture: "json" }, [2]],
    ['{"a": [{"b": 1}, {"b": 2}]}', { capture: "json", path: "$.a[1].b" }, 2],
    ['{"a": [{"b": 1}, {"b": 2}]}', { capture: "json", path: "$.a[*].b" }, [1, 2]],
    [
      'old {"a": 1}\nRESULT={"a": 3}\ntail []',
      { capture: "json", pattern: "/RESULT=(.*)/" },
      { a: 3 },
    ],
    ['{"a": null}', { capture: "json", path: "$.a" }, null],
    ['"text"', { capture: "json", path: "$" }, "text"],
  ] as const)("%j with %j is %j", (text, rule, value) => {
    expect(capture(text, rule)).toEqual(value);
  });

  test.each([
    ["twelve", { capture: "number" }, '"twelve" is not a number'],
    ["", { capture: "number" }, "an empty text is not a number"],
    ["Infinity", { capture: "number" }, '"Infinity" is not a number'],
    ["maybe", { capture: "boolean" }, '"maybe" is neither true nor false'],
    ["no such", { pattern: "/v[0-9]/" }, 'nothing matches /v[0-9]/; the text is "no such"'],
    ["just words", { capture: "json" }, 'no JSON in "just words"'],
    ['{"a": 1}', { capture: "json", path: "$.b" }, 'nothing at $.b in "{\\"a\\":1}"'],
    ['{"a": 1}', { capture: "number", path: "$.b" }, 'nothing at $.b in "{\\"a\\":1}"'],
  ] as const)("%j with %j says %j", (text, rule, message) => {
    expect(capture(text, rule)).toBe(message);
  });

  test("hostile texts of a megabyte take no more than linear time (spec 11)", () => {
    const size = 1_000_000;
    // quadratic code would need minutes here and run into the test's own limit
    expect(capture(`${"\n".repeat(size)}x`, {})).toHaveLength(size + 1);
    expect(capture("{".repeat(size), { capture: "json" })).toContain("no JSON");
    expect(capture(`${"a".repeat(size)}!`, { pattern: "/(a+)+$/" })).toContain("nothing matches");
    expect(capture("```\n".repeat(size / 4), { capture: "json" })).toContain("no JSON");
  });
});

describe("a hostile path or pattern is an error that says so, before it is tried (spec 11)", () => {
  const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
  const ten = `[${'{"a":[1]},'.repeat(1_000_000)}0]`;

  test.each([
    ["$..* on ten megabytes", ten, { capture: "json", path: "$..*" }, "a million places"],
    [
      "descents in descents",
      nested(200),
      { capture: "json", path: "$..*..*..*" },
      "a million places",
    ],
    [
      "unions",
      nested(200),
      { capture: "json", path: `$${"[0,0]".repeat(60)}` },
      "a million places",
    ],
    [
      "a large regex in a large text",
      "a".repeat(10_000_000),
      { capture: "count", pattern: "/(?:a?){300}a{300}/" },
      "would take too long in 9.5 Mi characters",
    ],
    [
      "the same line by line",
      "a\n".repeat(5_000_000),
      { capture: "lines", pattern: "/(?:a?){300}a{300}/" },
      "would take too long in 9.5 Mi characters",
    ],
    ["a tower", nested(100_000), { capture: "json", path: "$..a" }, "nested too deep"],
  ] as const)("%s", (_, text, rule, words) => {
    expect(capture(text, rule)).toContain(words);
  });

  test("the usual ones still work on ten megabytes", () => {
    expect(capture(ten, { capture: "json", path: "$[999999].a[0]" })).toBe(1);
    expect(capture(ten, { capture: "count", pattern: '/"a"/' })).toBe(1_000_000);
  });
});

describe("outputs of a step (spec 3.3)", () => {
  test("from: stdout, stderr and both", async () => {
    const { world } = await play(
      `
- id: s
  shell: "print out; err bad"
  outputs: {a: {capture: text}, b: {capture: text, from: stderr}, c: {capture: lines, from: both}}
- claude: "got \${a} \${b} \${s.c} \${c[1]}"
`,
      { iterations: 1 },
    );

    expect(world.prompts).toEqual(["got out bad out bad bad"]);
  });

  test("a file_pattern is matched on path and on base name, newest first, committed or not", async () => {
    const { world } = await play(
      `
- shell: "write x.txt before"
- id: w
  shell: "write docs/a-plan.md 1; commit own; write deep/er/b-plan.md 2; write x.txt after; remove README.md"
  outputs:
    path: {file_pattern: "docs/*.md"}
    base: {file_pattern: "*-plan.md"}
    all: {file_pattern: "*-plan.md", all: true}
    changed: {file_pattern: "x.txt"}
    gone: {file_pattern: "README.md", default: "not there"}
- claude: "got \${path} | \${base} | \${all} | \${changed} | \${gone} | \${w.files_added} | \${w.files_changed} | \${w.commits}"
`,
      { iterations: 1 },
    );

    expect(world.prompts).toEqual([
      "got docs/a-plan.md | deep/er/b-plan.md | deep/er/b-plan.md docs/a-plan.md | x.txt | not there" +
        " | deep/er/b-plan.md docs/a-plan.md | x.txt deep/er/b-plan.md docs/a-plan.md README.md | 2",
    ]);
  });

  test.each([
    {
      step: `{shell: "print x", outputs: {n: {file_pattern: "*.md"}}}`,
      message: "output n: no file matches *.md; the step changed no file",
    },
    {
      step: `{shell: "write a.txt 1; write b.txt 1", outputs: {n: {file_pattern: "*.md"}}}`,
      message: "output n: no file matches *.md; the step changed b.txt, a.txt",
    },
    {
      step: `{claude: "/w", outputs: {n: {file_pattern: "*.md"}}}`,
      message: "output n: no file matches *.md; the step changed a.txt",
    },
    {
      step: `{shell: "print many", outputs: {n: {capture: number}}}`,
      message: 'output n: "many" is not a number',
    },
    {
      step: `{shell: "print x", outputs: {n: {capture: text, from: stderr, pattern: y}}}`,
      message: "output n: nothing matches y; the text is an empty text",
    },
  ])("one that cannot be had fails the step: $message", async ({ step, message }) => {
    const played = await play(`[${step}]`, { iterations: 1, claude: { "/w": "write a.txt 1" } });

    expect(played.of("step-finished")[0]?.failure).toMatchObject({ reason: "output", message });
    expect(played.world.files).toEqual({ "README.md": "hello" });
  });

  test.each([
    [10 * 1024 * 1024, "text"],
    [10 * 1024 * 1024 + 1, "output n: 10.0 MiB of text, more than the 10 MiB that are captured"],
  ])("a text of %i bytes is %j (spec 11)", async (bytes, expected) => {
    const { playbook } = readPlaybook("pb.yml", `[{shell: x, outputs: {n: {capture: text}}}]`);
    const [step] = playbook?.steps ?? [];
    if (step === undefined) throw new Error("no step");
    const record = { ...newRecord("s", "shell"), outputFile: "log" };
    const disk = {
      ...new FakeWorld().ports().store,
      size: async () => Promise.resolve(bytes),
      read: async () => Promise.resolve({ text: "text", exact: true }),
    };

    const taken = await takeOutputs(step, record, { files: [], store: disk, lenient: false });

    expect(taken.ok ? taken.value[0]?.value : taken.error).toBe(expected);
  });

  test("`path` and `pattern` go with every kind that has a meaning for them", async () => {
    const { world, steps } = await play(
      `
- shell: 'print RESULT={"score": 81.5, "ok": true, "names": ["a", "b"]} and more'
  id: s
  outputs:
    score: {capture: number, path: "$.score"}
    whole: {capture: number, path: "$.score", pattern: "/[0-9]+/"}
    ok: {capture: boolean, path: $.ok}
    names: {capture: lines, path: "$.names"}
    all: {capture: json, pattern: "/RESULT=(.*) and/", path: "$.names[1]"}
- {claude: "got \${score} \${whole} \${ok} \${names} \${all}"}
`,
      { iterations: 1 },
    );

    expect(steps).toEqual(["1 succeeded", "2 succeeded"]);
    expect(world.prompts).toEqual(["got 81.5 81 true a b b"]);
  });

  test("the handler can put it right, and an earlier attempt's outputs are gone", async () => {
    const { world, steps } = await play(
      `
- id: s
  shell: "print 12; fail 1"
  outputs: {n: {capture: number}}
  on_failure: {shell: "print x"}
- {claude: "got \${n}"}
`,
      { iterations: 1 },
    );

    expect(steps).toEqual(["1.on_failure.1 succeeded", "1 succeeded", "2 succeeded"]);
    expect(world.prompts).toEqual(["got 12"]);
  });

  test("a tolerated failure has the outputs that can be had, and null or the default for others", async () => {
    const { world } = await play(
      `
- id: s
  shell: "print 3 broken; write a.md x; exit 1"
  continue_on_error: true
  outputs:
    broken: {capture: number, pattern: "/([0-9]+) broken/"}
    none: {capture: json}
    other: {capture: number, pattern: "/nope/", default: 7}
    file: {file_pattern: "*.md"}
- claude: "got \${broken} [\${none}] \${other} \${file} \${s.success} \${s.files_changed}"
`,
      { iterations: 1 },
    );

    expect(world.prompts).toEqual(["got 3 [] 7 a.md false a.md"]);
  });

  test("capture_output: CAPTURED_OUTPUT as a reference and for children, and a name of one's own", async () => {
    const { world } = await play(
      `
- {shell: "print one; err noise", capture_output: true}
- {shell: "print two", capture_output: mine, id: m}
- {shell: "print three"}
- {shell: "env CAPTURED_OUTPUT", id: e}
- {claude: "got $CAPTURED_OUTPUT \${mine} \${m.mine} \${e.output}"}
`,
      { iterations: 1 },
    );

    expect(world.prompts).toEqual(["got two\n two two CAPTURED_OUTPUT=two"]);
  });

  test("the fields of a step that has run", async () => {
    const { world } = await play(
      `
- {shell: "print o; err e; fail 1 4", id: s, on_failure: {shell: "write f.txt 1"}}
- {claude: "/c", id: c}
- {claude: "got \${s.stdout}\${s.stderr}\${s.exit_code} \${s.success} \${s.attempts} \${s.commits} \${c.cost_usd} [\${s.cost_usd}] \${c.stdout}"}
`,
      { iterations: 1 },
    );

    expect(world.prompts[1]).toBe("got o\ne\n0 true 2 1 0.5 [] done");
  });

  test("the record names what was captured", async () => {
    const { of } = await play(
      `[{shell: "print x", id: s, outputs: {n: {capture: text}, m: {capture: json, default: {a: 1}}}}]`,
    );

    expect(of("output-captured").map(({ name, value }) => [name, value])).toEqual([
      ["n", "x"],
      ["m", '{"a":1}'],
    ]);
  });
});

test("a step that declares an output of the same name refers to the earlier one, in its text, condition and commit message (spec 3.1)", async () => {
  const { world, steps } = await play(`
- {id: one, shell: "print 1", outputs: {n: {capture: number}}}
- id: two
  shell: "write got.txt \${n}; print 2"
  condition: n == 1
  outputs: {n: {capture: number}}
- {shell: "write both.txt \${one.n}-\${two.n}"}
`);

  expect(steps).toEqual(["1 succeeded", "2 succeeded", "3 succeeded"]);
  expect(world.files).toMatchObject({ "got.txt": "1", "both.txt": "1-2" });
});

test("in its handler and in its next attempt it refers to the earlier one still", async () => {
  const { world, steps } = await play(`
gates: {fine: {shell: "need ok.txt 4"}}
steps:
  - {id: one, shell: "print 1", outputs: {n: {capture: number}}}
  - shell: "write got-\${n}.txt x; print 2"
    outputs: {n: {capture: number}}
    validation: fine
    on_failure: {shell: "write ok.txt \${n}"}
`);

  expect(steps.at(-1)).toBe("2 succeeded");
  expect(world.files).toMatchObject({ "got-1.txt": "x", "ok.txt": "1" });
  expect(world.files).not.toHaveProperty("got-2.txt");
});
