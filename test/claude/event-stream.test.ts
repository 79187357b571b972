import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EventStream, type StreamSummary } from "../../src/claude/event-stream.ts";
import type { ClaudeActivity } from "../../src/engine/ports.ts";
import { heldBytes } from "../support/held-bytes.ts";

const init = {
  type: "system",
  subtype: "init",
  session_id: "s1",
  model: "claude-x",
  claude_code_version: "2.1.112",
  slash_commands: ["hello", "sub:dir"],
};
const result = {
  type: "result",
  subtype: "success",
  is_error: false,
  num_turns: 2,
  result: "grüße 🔍",
  session_id: "s1",
  modelUsage: {
    "claude-x": {
      inputTokens: 100,
      outputTokens: 20,
      cacheReadInputTokens: 5,
      cacheCreationInputTokens: 7,
      costUSD: 0.5,
    },
    "claude-small": { inputTokens: 10, outputTokens: 2, costUSD: 0.25 },
  },
  permission_denials: [{ tool_name: "Bash", tool_use_id: "t", tool_input: {} }],
};

function lines(...events: readonly unknown[]): string {
  return events
    .map((event) => `${typeof event === "string" ? event : JSON.stringify(event)}\n`)
    .join("");
}

function parse(text: string, maxLineBytes?: number): StreamSummary {
  const stream = new EventStream({}, maxLineBytes);
  stream.push(Buffer.from(text));
  return stream.end();
}

test("init and result are read, usage is summed over the models (6.4)", () => {
  const summary = parse(lines(init, result));

  expect(summary.init).toEqual({
    model: "claude-x",
    session: "s1",
    version: "2.1.112",
    slashCommands: ["hello", "sub:dir"],
  });
  expect(summary.result).toMatchObject({
    text: "grüße 🔍",
    turns: 2,
    calledModel: true,
    denied: ["Bash"],
    usage: {
      costUsd: 0.75,
      inputTokens: 110,
      outputTokens: 22,
      cacheReadTokens: 5,
      cacheWriteTokens: 7,
    },
  });
});

test.each([null, undefined, "0.1"])("a cost of %j is unknown, never 0 (6.4)", (costUSD) => {
  const summary = parse(lines({ ...result, modelUsage: { a: { inputTokens: 1, costUSD } } }));

  expect(summary.result?.usage).toMatchObject({ costUsd: null, inputTokens: 1 });
});

test("the word on the account's limits counts without a session too (6.5)", () => {
  const info = { status: "rejected", resetsAt: 1_800_000_000 };

  const { rateLimit } = parse(lines(init, { type: "rate_limit_event", rate_limit_info: info }));

  expect(rateLimit).toEqual({ rejected: true, resetsAt: 1_800_000_000 });
});

test("the cost is unknown when that of one of the models is (6.4)", () => {
  const modelUsage = { a: { inputTokens: 1, costUSD: 0.5 }, b: { inputTokens: 2 } };

  expect(parse(lines({ ...result, modelUsage })).result?.usage).toMatchObject({
    costUsd: null,
    inputTokens: 3,
  });
});

test("an answer of 10 MiB, the most that is captured, is read whole (11)", () => {
  const answer = "x".repeat(10 * 1024 * 1024);

  expect(parse(lines({ ...result, result: answer })).result?.text).toHaveLength(answer.length);
});

test("no modelUsage at all is no usage, and no model call", () => {
  const { modelUsage: _, ...bare } = result;

  expect(parse(lines(bare)).result).toMatchObject({ usage: null, calledModel: false });
});

test("of several results the last one counts, of several inits the first", () => {
  const later = { ...result, result: "second", num_turns: 5 };

  const summary = parse(lines(init, result, { ...init, model: "other" }, later));

  expect(summary.result).toMatchObject({ text: "second", turns: 5 });
  expect(summary.init?.model).toBe("claude-x");
});

test("unknown events and fields of wrong types are ignored", () => {
  const odd = {
    type: "result",
    subtype: 5,
    is_error: "yes",
    result: [1],
    num_turns: "x",
    errors: {},
  };

  const summary = parse(lines({ type: "moon", session_id: "s1" }, init, odd));

  expect(summary.events).toBe(3);
  expect(summary.result).toMatchObject({ subtype: null, isError: false, text: null, turns: null });
});

test("what is no event is kept as text, JSON of a script's own included (6.2)", () => {
  const summary = parse('hello\r\n\n{"score": 7}\n{"type":"a"}\n[1]\nlast');

  expect(summary.events).toBe(0);
  expect(summary.plain).toBe('hello\r\n{"score": 7}\n{"type":"a"}\n[1]\nlast');
});

test("plain text is kept up to 64 KiB, the end of it", () => {
  const summary = parse(
    lines(
      ..."x"
        .repeat(200_000)
        .match(/.{100}/g)!
        .map((s, i) => `${i} ${s}`),
    ),
  );

  expect(summary.plain.length).toBeLessThanOrEqual(65_536);
  expect(summary.plain.endsWith(`1999 ${"x".repeat(100)}`)).toBe(true);
});

test("a result without its last newline counts; half an event does not", () => {
  const whole = parse(lines(init) + JSON.stringify(result));
  const half = parse(lines(init) + JSON.stringify(result).slice(0, -5));

  expect(whole.result?.text).toBe("grüße 🔍");
  expect(half).toMatchObject({ result: null, brokenEnd: true, plain: "" });
});

test("a line over the bound is not read and does not hide the next one (11)", () => {
  const huge = { type: "user", message: "y".repeat(5000) };

  const summary = parse(lines(init, huge, result), 2000);

  expect(summary).toMatchObject({ cutLines: 1, events: 2, result: { turns: 2 } });
});

test("a line of 100 MB costs no more memory than the bound (11)", () => {
  const stream = new EventStream({}, 1024 * 1024);
  const chunk = Buffer.alloc(64 * 1024, "z");
  const before = heldBytes();

  let most = 0;
  for (let i = 0; i < 1600; i += 1) {
    stream.push(chunk);
    if (i % 100 === 0) most = Math.max(most, heldBytes() - before);
  }
  stream.push(Buffer.from(lines("", result)));

  expect(stream.end()).toMatchObject({ cutLines: 1, result: { turns: 2 } });
  expect(most).toBeLessThan(16 * 1024 * 1024);
});

test("F11: people are told of tool calls, text, turns and retries, never of raw events (6.4)", () => {
  const seen: ClaudeActivity[] = [];
  const stream = new EventStream({ onActivity: (activity) => seen.push(activity) });
  const say = (id: string, block: unknown, parent: string | null = null) => ({
    type: "assistant",
    message: { id, content: [block] },
    parent_tool_use_id: parent,
    session_id: "s1",
  });

  const tool = {
    type: "tool_use",
    name: "Bash",
    input: { command: "git add -A &&\n  git commit" },
  };
  const events = [
    init,
    say("m1", { type: "text", text: "I look." }),
    say("m1", tool),
    say("m2", { type: "tool_use", name: "Odd", input: 7 }, "parent"),
    {
      type: "system",
      subtype: "api_retry",
      attempt: 2,
      max_retries: 10,
      retry_delay_ms: 1040,
      error_status: 529,
      error: "overloaded",
    },
    say("m3", { type: "tool_use", name: "Write", input: { file_path: "a.txt", content: "x" } }),
    result,
  ];
  stream.push(Buffer.from(lines(...events)));

  expect(seen).toEqual([
    { type: "turns", turns: 1 },
    { type: "text", text: "I look." },
    { type: "tool", name: "Bash", detail: "git add -A && git commit" },
    { type: "tool", name: "Odd", detail: "" },
    { type: "retry", message: "retry 2 of 10 in 1 s: 529 overloaded" },
    { type: "turns", turns: 2 },
    { type: "tool", name: "Write", detail: "a.txt" },
    { type: "usage", tokens: 144, costUsd: 0.75 },
  ]);
});

test("tokens are told while the call runs, each message once, sub-agents included (6.4)", () => {
  const seen: ClaudeActivity[] = [];
  const stream = new EventStream({ onActivity: (activity) => seen.push(activity) });
  const usage = { input_tokens: 10, cache_read_input_tokens: 100, output_tokens: 1 };
  const message = (id: string, parent: string | null) => ({
    type: "assistant",
    message: { id, content: [], usage },
    parent_tool_use_id: parent,
    session_id: "s1",
  });

  stream.push(
    Buffer.from(lines(message("m1", null), message("m1", null), message("m2", "parent"))),
  );

  expect(seen.filter(({ type }) => type === "usage")).toEqual([
    { type: "usage", tokens: 111, costUsd: null },
    { type: "usage", tokens: 222, costUsd: null },
  ]);
});

test("property: however the bytes are cut into pieces, the parse is the same", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      init,
      result,
      { type: "assistant", message: { id: "m", content: [] } },
      "plain ü",
      "",
    ),
    fc.string({ unit: "binary" }),
    fc.json(),
  );

  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(fc.nat({ max: 2000 }), { maxLength: 30 }),
      fc.boolean(),
      (events, cuts, endsWithNewline) => {
        const text = lines(...events);
        const bytes = Buffer.from(endsWithNewline ? text : text.slice(0, -1));
        const whole = new EventStream({}, 300);
        whole.push(bytes);
        const pieces = new EventStream({}, 300);
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)),
          bytes.length,
        ].toSorted((a, b) => a - b);
        for (let i = 1; i < places.length; i += 1)
          pieces.push(bytes.subarray(places[i - 1], places[i]));

        expect(pieces.end()).toEqual(whole.end());
      },
    ),
    { numRuns: 300 },
  );
});

test("a million lines of one letter are read in a moment (11)", () => {
  const stream = new EventStream();
  const chunk = Buffer.from("y\n".repeat(50_000));

  for (let i = 0; i < 20; i += 1) stream.push(chunk);

  expect(stream.end().plain).toHaveLength(65_535);
}, 15_000);
