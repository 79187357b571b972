/** `foreach` (spec 2.8): its lists, what its steps see, and what happens when an item fails. */
import { describe, expect, test } from "vitest";
import { play } from "../support/fake-ports.ts";

const items = (played: Awaited<ReturnType<typeof play>>): readonly string[] =>
  played.of("item-finished").map(({ index, item, conclusion }) => `${index} ${item} ${conclusion}`);

describe("lists (spec 2.8)", () => {
  test("a list as it is written: texts with references, numbers, mappings", async () => {
    const played = await play(
      `
- foreach: [a, 2, "n\${ITERATION}", {path: p.js, tags: [x]}]
  do: {shell: "print \${item} \${index} \${total}"}
- foreach: [{path: p.js, n: 1}]
  do: {shell: "print \${item.path} \${item.n}"}
`,
    );

    expect(played.of("item-started").map(({ item }) => item)).toEqual([
      "a",
      "2",
      "n1",
      `{"path":"p.js","tags":["x"]}`,
      `{"path":"p.js","n":1}`,
    ]);
    const values = played.world.scripts.map(({ env }) => Object.values(env));
    expect(values[1]).toEqual(expect.arrayContaining(["2", "2", "4"]));
    expect(values[4]).toEqual(expect.arrayContaining(["p.js", "1"]));
  });

  test.each([
    [
      "a line each, empty ones left out",
      "print one; print ; print two words",
      ["one", "two words"],
    ],
    ["a JSON array", `print [1, {"a": "b"}, null]`, ["1", `{"a":"b"}`, ""]],
    ["lines that only begin like one", "print [x] done; print [ ] open", ["[x] done", "[ ] open"]],
    ["nothing", "print ", []],
  ])("what a command prints: %s", async (_what, script, wanted) => {
    const played = await play(`
- foreach: {shell: ${JSON.stringify(script)}}
  do: {shell: "print x"}
`);

    expect(played.outcome.status).toBe("completed");
    expect(played.of("item-started").map(({ item }) => item)).toEqual(wanted);
    expect(played.of("items-listed")).toMatchObject([{ total: wanted.length, done: 0 }]);
  });

  test("an array of an earlier step; what nobody made is an empty list", async () => {
    const played = await play(`
- {id: a, shell: "print x; print y", outputs: {names: {capture: lines}}}
- {id: b, shell: "print x", condition: false, outputs: {names: {capture: lines}}}
- {foreach: "\${a.names}", do: {shell: "print \${item}"}}
- {foreach: "\${b.names}", do: {shell: "print \${item}"}}
`);

    expect(played.of("items-listed").map(({ total }) => total)).toEqual([2, 0]);
    expect(played.steps).toContain("4 succeeded");
  });

  test("a value that turns out to be no list fails the step, and says what it is", async () => {
    const { finished, of, outcome } = await play(`
- {id: a, shell: "print 7", outputs: {n: {capture: json}}}
- {foreach: "\${a.n}", do: {shell: "print x"}}
`);

    expect(outcome.status).toBe("failed");
    expect(finished.exitCode).toBe(1);
    expect(of("attempt-finished").at(-1)?.failure?.message).toBe(
      "foreach: ${a.n} is the number 7, not a list",
    );
  });

  test("a command that fails makes no list", async () => {
    const { of, outcome, world } = await play(`
- {foreach: {shell: "print a; exit 4"}, do: {shell: "print x"}}
`);

    expect(outcome.status).toBe("failed");
    expect(world.scripts).toHaveLength(1);
    expect(of("step-finished")[0]?.failure).toMatchObject({ exitCode: 4, tail: "a" });
  });

  test("more items than max_items fail the step before the first", async () => {
    const long = await play(`
- {foreach: {shell: "print a; print b; print c"}, max_items: 2, do: {shell: "print x"}}
`);
    const many = Array.from({ length: 1001 }, () => "1").join(",");
    const usual = await play(`- {foreach: {shell: "print [${many}]"}, do: {shell: "print x"}}`);

    expect(long.world.scripts).toHaveLength(1);
    expect(long.of("step-finished")[0]?.failure?.message).toBe(
      "the list has 3 items, more than max_items (2)",
    );
    expect(usual.world.scripts).toHaveLength(1);
    expect(usual.outcome.status).toBe("failed");
  });

  test("the command of the list has a timeout of its own", async () => {
    const { world } = await play(`
- {foreach: {shell: "print a", timeout: 3}, do: {shell: "print x"}}
`);

    expect(world.timeouts).toEqual([3000, null]);
  });
});

describe("what the steps see (spec 3.1)", () => {
  test("places of their own, one deeper, handlers of the steps below them", async () => {
    const { of } = await play(`
- shell: "print first"
- foreach: [a, b]
  do:
    - {shell: "print \${item}"}
    - foreach: [x]
      do: {shell: "fail 1", on_failure: {shell: "print \${item} \${error.step}"}}
`);

    expect(of("step-started").map(({ at }) => `${at.step} ${at.depth} ${at.number}`)).toEqual([
      "1 0 1",
      "2 0 2",
      "2.item.1.1 1 2",
      "2.item.1.2 1 2",
      "2.item.1.2.item.1.1 2 2",
      "2.item.1.2.item.1.1.on_failure.1 3 2",
      "2.item.2.1 1 2",
      "2.item.2.2 1 2",
      "2.item.2.2.item.1.1 2 2",
    ]);
    expect(of("step-started").filter(({ meaning }) => meaning !== undefined)).toHaveLength(2);
  });

  test("outputs of the same item, and after the loop what was there before it", async () => {
    const played = await play(`
- {id: one, shell: "print before"}
- foreach: [a, b]
  id: loop
  do:
    - {id: mine, shell: "print \${item}!", outputs: {said: {capture: text}}}
    - {shell: "print \${said} \${mine.said} \${shell.output} \${one.output}"}
- {shell: "print \${shell.output} \${loop.success} \${loop.commits}"}
`);

    const values = played.world.scripts.map(({ env }) => Object.values(env));
    expect(values[2]).toEqual(expect.arrayContaining(["a!", "a!\n", "before\n"]));
    expect(values[4]).toEqual(expect.arrayContaining(["b!", "b!\n", "before\n"]));
    expect(values[5]).toEqual(expect.arrayContaining(["before\n", "true", "0"]));
    expect(values[5]).not.toContain("b!\n");
  });

  test("the inner loop's item in an inner loop, the outer one's again after it", async () => {
    const played = await play(`
- foreach: [a]
  do:
    - {foreach: [x, y], do: {shell: "print \${item} \${total}"}}
    - {shell: "print \${item} \${total}"}
`);

    const values = played.world.scripts.map(({ env }) => Object.values(env));
    expect(
      values.map((each) => [each.includes("x"), each.includes("a"), each.includes("2")]),
    ).toEqual([
      [true, false, true],
      [false, false, true],
      [false, true, false],
    ]);
  });

  test("env of the loop reaches its steps, whose own comes first; defaults reach them too", async () => {
    const played = await play(`
defaults: {timeout: 9, env: {D: d}}
steps:
  - foreach: [a]
    env: {LOOP: l, BOTH: loop}
    do:
      - {shell: "print x", env: {BOTH: step}}
      - {shell: "print \${env.LOOP}", condition: "env.LOOP == 'l'"}
  - {shell: "print after"}
`);

    const env = played.world.scripts.map((each) => each.env);
    expect(env[0]).toMatchObject({ D: "d", LOOP: "l", BOTH: "step", MMM_STEP: "1.item.1.1" });
    expect(env[1]).toMatchObject({ LOOP: "l", BOTH: "loop" });
    expect(env[2]).not.toHaveProperty("LOOP");
    expect(played.world.timeouts).toEqual([9000, 9000, 9000]);
  });

  test("conditions of the loop and of its steps", async () => {
    const { steps } = await play(`
- {foreach: [a], condition: false, do: {shell: "print x"}}
- foreach: [a, b, c]
  do: {shell: "print \${item}", condition: "index == 2 || item == 'c'"}
`);

    expect(steps).toEqual([
      "1 skipped",
      "2.item.1.1 skipped",
      "2.item.2.1 succeeded",
      "2.item.3.1 succeeded",
      "2 succeeded",
    ]);
  });
});

describe("an item that fails", () => {
  const LOOP = `
    - {shell: "write \${item} x", commit_message: "made \${item}"}
    - {shell: "write half-\${item} x; exit 3", condition: "item == 'b'"}`;

  test("fails the loop, which goes back to where it began (spec 5)", async () => {
    const played = await play(`
- {shell: "write early x"}
- foreach: [a, b, c]
  do:${LOOP}
- {shell: "print never"}
`);

    expect(played.outcome).toEqual({ status: "failed", stop: "step-failed" });
    expect(items(played)).toEqual(["1 a succeeded", "2 b failed"]);
    expect(played.world.history).toEqual(["first", "write early x"]);
    expect(played.world.kept).toHaveLength(1);
    expect(played.of("step-finished").at(-1)?.failure).toMatchObject({
      reason: "item",
      exitCode: 3,
    });
    expect(played.of("step-finished").at(-1)?.failure?.message).toContain("item 2/3 (b) failed");
  });

  test("with continue_on_error leaves nothing, the others run, and the summary tells it", async () => {
    const played = await play(`
- foreach: [a, b, c]
  continue_on_error: true
  do:${LOOP}
- {shell: "print last", condition: "failure()"}
`);

    expect(played.outcome.status).toBe("completed");
    expect(played.finished.exitCode).toBe(0);
    expect(items(played)).toEqual(["1 a succeeded", "2 b tolerated", "3 c succeeded"]);
    expect(played.world.history).toEqual(["first", "made a", "made c"]);
    expect(Object.keys(played.world.files)).toEqual(["README.md", "a", "c"]);
    expect(played.world.kept).toHaveLength(1);
    expect(played.finished.toleratedFailures).toMatchObject([
      { at: { step: "1" }, message: "1 of 3 items failed: b" },
    ]);
    expect(played.finished.next.join("\n")).toContain("git restore");
    expect(played.steps.at(-1)).toBe("2 succeeded");
  });

  test("continue_on_error does not tolerate a HEAD that moved to another branch (spec 5)", async () => {
    const played = await play(`
- {foreach: [a, b], continue_on_error: true, do: {shell: "branch other"}}
`);

    expect(played.outcome.status).toBe("failed");
    expect(items(played)).toEqual(["1 a failed"]);
  });

  test("a repair of the loop goes on with the items that are not done, and lists them once", async () => {
    const played = await play(`
- foreach: {shell: "print a; print b; print c"}
  do: {shell: "fail 1; print \${item}", condition: "item == 'b'"}
  on_failure: {shell: "print mended \${error.exit_code}"}
`);

    expect(played.outcome.status).toBe("completed");
    expect(items(played)).toEqual([
      "1 a succeeded",
      "2 b failed",
      "2 b succeeded",
      "3 c succeeded",
    ]);
    expect(played.world.scripts.filter(({ script }) => script.startsWith("print a;"))).toHaveLength(
      1,
    );
    expect(played.of("items-listed")).toMatchObject([{ done: 0 }, { done: 1 }]);
  });

  test("on_exit_code and on_success of a loop, and continue_on_error of a step in it", async () => {
    const { steps } = await play(`
- foreach: [a]
  do: {shell: "fail 1 7"}
  on_exit_code: {7: {shell: "print seven"}}
  on_success: {shell: "print good"}
- foreach: [a, b]
  do: {shell: "exit 1", continue_on_error: true}
`);

    expect(steps).toEqual(
      [
        "1.item.1.1 failed",
        "1.on_exit_code.1.1 succeeded",
        "1.item.1.1 succeeded",
        "1.on_success.1 succeeded",
        "1 succeeded",
        "2.item.1.1 tolerated",
        "2.item.2.1 tolerated",
        "2 succeeded",
      ].map((each) => each.replace("on_exit_code.1.1", "on_exit_code.7.1")),
    );
  });

  test("in a handler a loop works like any step of it", async () => {
    const { steps } = await play(`
- shell: "fail 1"
  on_failure: {foreach: [a, b], do: {shell: "print \${item} \${error.exit_code}"}}
`);

    expect(steps).toEqual([
      "1.on_failure.1.item.1.1 succeeded",
      "1.on_failure.1.item.2.1 succeeded",
      "1.on_failure.1 succeeded",
      "1 succeeded",
    ]);
  });
});

describe("nothing to do (spec 3.3)", () => {
  test("ends the item and not the iteration", async () => {
    const played = await play(
      `
- foreach: [a, b]
  do:
    - {id: review, claude: "/review \${item}"}
    - {claude: "/implement \${review.spec}"}
    - {shell: "print tested \${item}"}
- {shell: "print last"}
`,
      {
        iterations: 1,
        claude: {
          "/review a": "print fine",
          "/review b": "write specs/b.md x",
          "/implement": "print ok",
        },
      },
    );

    expect(items(played)).toEqual(["1 a nothing-to-do", "2 b succeeded"]);
    expect(played.world.prompts).toEqual(["/review a", "/review b", "/implement specs/b.md"]);
    expect(played.steps.at(-1)).toBe("2 succeeded");
  });

  test("a defaulted commit that a later iteration misses ends its item too (spec 5)", async () => {
    const played = await play(
      `
max_iterations: 2
steps:
  - foreach: [a, b]
    do: [{name: mmm-improve, args: ["\${item}"]}]
`,
      {
        claude: {
          "/mmm-improve a": ["write a 1; commit a1", "write a 2; commit a2"],
          "/mmm-improve b": ["write b 1; commit b1", "print fine"],
        },
      },
    );

    expect(played.outcome.status).toBe("completed");
    expect(items(played).slice(2)).toEqual(["1 a succeeded", "2 b nothing-to-do"]);
  });
});

test("a Ctrl-C in an item begins no other", async () => {
  const played = await play(`
- {foreach: [a, b], continue_on_error: true, do: {shell: "abort; print \${item}"}}
`);

  expect(played.outcome.status).toBe("interrupted");
  expect(played.world.scripts).toHaveLength(1);
});
