import { expect, test } from "vitest";
import { EventStream } from "../../src/claude/event-stream.ts";
import { judge, type Evidence } from "../../src/claude/verdict.ts";
import type { ProcessEnd } from "../../src/engine/outcome.ts";

const init = { type: "system", subtype: "init", session_id: "s", slash_commands: ["x"] };
const used = { m: { inputTokens: 1, outputTokens: 1, costUSD: 0.1 } };
const success = {
  type: "result",
  subtype: "success",
  is_error: false,
  result: "done",
  terminal_reason: "completed",
  modelUsage: used,
  permission_denials: [],
};
const apiError = (status: number | null, more: object = {}) => ({
  ...success,
  is_error: true,
  api_error_status: status,
  result: `API Error: ${status ?? "Connection error."} mock`,
  ...more,
});
const { result: _, ...withoutText } = success;
const errorResult = (subtype: string, more: object) => ({
  ...withoutText,
  subtype,
  is_error: true,
  ...more,
});
const denied = { tool_name: "Bash", tool_use_id: "t", tool_input: {} };
const limitEvent = (status: string, resetsAt?: number) => ({
  type: "rate_limit_event",
  rate_limit_info: { status, resetsAt, rateLimitType: "five_hour" },
  session_id: "s",
});
const exited = (code: number): ProcessEnd => ({ kind: "exited", code });

function evidence(
  end: ProcessEnd,
  output: readonly unknown[],
  more: Partial<Evidence> = {},
): Evidence {
  const stream = new EventStream();
  for (const line of output)
    stream.push(Buffer.from(typeof line === "string" ? line : `${JSON.stringify(line)}\n`));
  return {
    end,
    stream: stream.end(),
    stopped: null,
    command: "x",
    strictPermissions: false,
    now: new Date("2026-03-05T12:00:00Z"),
    ...more,
  };
}

/** One line for each situation that real CLIs (1.0.128 to 2.1.329, letters O L N) were seen in. */
test.each<[situation: string, code: string | null, end: ProcessEnd, output: readonly unknown[]]>([
  ["success", null, exited(0), [init, success]],
  [
    "success of a forked command without terminal_reason",
    null,
    exited(0),
    [init, { ...success, terminal_reason: undefined }],
  ],
  ["API error 400", "api-error", exited(1), [init, apiError(400)]],
  [
    "API error 400, N",
    "api-error",
    exited(1),
    [init, apiError(400, { terminal_reason: "api_error" })],
  ],
  ["API error 401", "not-logged-in", exited(1), [init, apiError(401)]],
  ["API error 403", "api-error", exited(1), [init, apiError(403)]],
  ["API error 404", "api-error", exited(1), [init, apiError(404)]],
  [
    "API error 413, N",
    "api-error",
    exited(1),
    [init, apiError(413, { terminal_reason: "image_error" })],
  ],
  ["API error 429", "rate-limit", exited(1), [init, apiError(429)]],
  ["API error 408", "connection", exited(1), [init, apiError(408)]],
  ["API error 500", "server-error", exited(1), [init, apiError(500)]],
  [
    "API error 500, M: the status in the text alone",
    "server-error",
    exited(1),
    [init, { ...apiError(500), api_error_status: undefined }],
  ],
  [
    "an overload in the middle of a stream, L",
    "overloaded",
    exited(1),
    [
      init,
      {
        ...apiError(null),
        result: 'API Error: {"type":"error","error":{"type":"overloaded_error"}}',
      },
    ],
  ],
  [
    "usage limit with its moment in an event",
    "usage-limit",
    exited(1),
    [
      init,
      limitEvent("rejected", 1_772_800_000),
      { ...success, is_error: true, result: "You've hit your session limit · resets 3pm (UTC)" },
    ],
  ],
  [
    "usage limit behind a 429",
    "usage-limit",
    exited(1),
    [init, limitEvent("rejected"), apiError(429)],
  ],
  [
    "usage limit, O",
    "usage-limit",
    exited(1),
    [init, { ...success, is_error: true, result: "Claude AI usage limit reached|1772800000" }],
  ],
  [
    "an account near its limit whose request is too many",
    "rate-limit",
    exited(1),
    [init, limitEvent("allowed_warning"), apiError(429)],
  ],
  [
    "an answer about limits",
    null,
    exited(0),
    [init, { ...success, result: "You've hit your limit · resets 3pm" }],
  ],
  [
    "no answer in the form that was asked for, after the CLI's own tries",
    "no-structured-output",
    exited(1),
    [init, errorResult("error_max_structured_output_retries", { errors: ["x"] })],
  ],
  ["API error 529", "overloaded", exited(1), [init, apiError(529)]],
  ["connection refused", "connection", exited(1), [init, apiError(null)]],
  [
    "missing key, L and N",
    "not-logged-in",
    exited(1),
    [
      init,
      {
        ...success,
        is_error: true,
        result: "Not logged in · Please run /login",
        terminal_reason: "api_error",
      },
    ],
  ],
  [
    "missing key, O",
    "not-logged-in",
    exited(1),
    [init, { ...success, is_error: true, result: "Invalid API key · Fix external API key" }],
  ],
  [
    "input too long, N",
    "prompt-too-long",
    exited(1),
    [
      init,
      {
        ...success,
        is_error: true,
        result: "Prompt is too long",
        terminal_reason: "blocking_limit",
      },
    ],
  ],
  [
    "input too long, refused by the API",
    "prompt-too-long",
    exited(1),
    [init, { ...apiError(400), result: "API Error: 400 prompt is too long: 9 tokens > 1 maximum" }],
  ],
  [
    "refusal, L",
    "refusal",
    exited(1),
    [init, { ...success, is_error: true, stop_reason: "refusal" }],
  ],
  [
    "max turns, L and N",
    "max-turns",
    exited(1),
    [
      init,
      errorResult("error_max_turns", {
        terminal_reason: "max_turns",
        errors: ["Reached maximum number of turns (1)"],
      }),
    ],
  ],
  [
    "max turns, O: exit 0 and no error",
    "max-turns",
    exited(0),
    [init, errorResult("error_max_turns", { is_error: false })],
  ],
  [
    "budget",
    "budget",
    exited(1),
    [init, errorResult("error_max_budget_usd", { errors: ["over"] })],
  ],
  [
    "a tool denied by permissions",
    null,
    exited(0),
    [init, { ...success, permission_denials: [denied] }],
  ],
  [
    "a Bash tool that failed",
    null,
    exited(0),
    [
      init,
      { type: "user", message: { content: [{ type: "tool_result", is_error: true }] } },
      success,
    ],
  ],
  [
    "unknown slash command, L",
    "unknown-command",
    exited(0),
    [init, { ...success, modelUsage: {}, result: "Unknown command: /x" }],
  ],
  [
    "unknown slash command, M",
    "unknown-command",
    exited(0),
    [init, { ...success, modelUsage: {}, result: "Unknown slash command: x" }],
  ],
  [
    "unknown slash command, O: empty result",
    "no-model-call",
    exited(0),
    [init, { ...success, modelUsage: {}, result: "" }],
  ],
  [
    "!`cmd` in a command file failed, N",
    "no-model-call",
    exited(0),
    [init, { ...success, modelUsage: {}, result: "Shell command failed for pattern ..." }],
  ],
  [
    "!`cmd` in a command file failed, L",
    "no-model-call",
    exited(0),
    [init, { ...success, modelUsage: {}, result: "" }],
  ],
  [
    "skill that users may not invoke, built-in for terminals",
    "no-model-call",
    exited(0),
    [init, { ...success, modelUsage: {}, result: "a notice" }],
  ],
  ["invalid flag: stderr only", "exit-code", exited(1), []],
  ["SIGINT while waiting for the API, N: exit 0, no result", "no-result", exited(0), [init]],
  [
    "SIGINT during Bash, N: exit 0",
    "interrupted",
    exited(0),
    [init, errorResult("error_during_execution", { terminal_reason: "aborted_tools" })],
  ],
  ["SIGTERM: 143, cut stream", "no-result", exited(143), [init, '{"type":"assis']],
  ["SIGHUP: 129, empty", "exit-code", exited(129), []],
  ["SIGKILL", "no-result", { kind: "signalled", signal: "SIGKILL" }, [init]],
  ["SIGKILL before the first line", "signal", { kind: "signalled", signal: "SIGKILL" }, []],
])("%s: %s (6.2)", (_, code, end, output) => {
  const { verdict } = judge(evidence(end, output));

  expect(verdict.ok ? null : verdict.code).toBe(code);
  // Whoever retries asks this alone (2.4).
  expect(verdict.ok ? false : verdict.transient).toBe(TRANSIENT.has(code ?? ""));
});

const TRANSIENT: ReadonlySet<string> = new Set([
  "connection",
  "idle",
  "overloaded",
  "rate-limit",
  "server-error",
]);

test.each<[situation: string, code: string | null, Evidence]>([
  ["exit 3 after a good result", "exit-code", evidence(exited(3), [init, success])],
  [
    "a signal after a good result",
    "signal",
    evidence({ kind: "signalled", signal: "SIGSEGV" }, [init, success]),
  ],
  ["a program without events that exits 0", null, evidence(exited(0), ["all fine\n"])],
  ["a program without events that exits 2", "exit-code", evidence(exited(2), ["oh\n"])],
  [
    "a time limit, even after a good result",
    "timed-out",
    evidence({ kind: "timed-out", afterMs: 1500 }, [init, success]),
  ],
  [
    "Ctrl-C, even after a good result",
    "cancelled",
    evidence({ kind: "cancelled" }, [init, success]),
  ],
  [
    "a program that cannot be started",
    "not-started",
    evidence({ kind: "not-started", reason: "no such program" }, []),
  ],
  [
    "a lingering process that mmm ended",
    null,
    evidence(exited(143), [init, success], { stopped: "lingered" }),
  ],
  [
    "a lingering process whose result was bad",
    "api-error",
    evidence(exited(143), [init, apiError(400)], { stopped: "lingered" }),
  ],
  [
    "a command that init does not list",
    "unknown-command",
    evidence(exited(143), [init], { stopped: "unknown-command" }),
  ],
  [
    "a process that was silent for too long",
    "idle",
    evidence(exited(143), [init], { stopped: "idle", idleMs: 1000 }),
  ],
  [
    "an answer without the form that was asked for",
    "no-structured-output",
    evidence(exited(0), [init, success], { wantsStructure: true }),
  ],
  [
    "an answer in the form that was asked for",
    null,
    evidence(exited(0), [init, { ...success, structured_output: { a: 1 } }], {
      wantsStructure: true,
    }),
  ],
  [
    "a subtype of the future",
    "failed",
    evidence(exited(1), [init, errorResult("error_of_tomorrow", {})]),
  ],
  [
    "an error that says nothing of the API",
    "failed",
    evidence(exited(1), [init, { ...success, is_error: true, result: "boom" }]),
  ],
])("%s: %s (6.2)", (_, code, given) => {
  const { verdict } = judge(given);

  expect(verdict.ok ? null : verdict.code).toBe(code);
});

test("a denied permission is a warning, and a failure when permissions are strict (6.2)", () => {
  const output = [
    init,
    { ...success, permission_denials: [denied, denied, { tool_name: "Edit" }] },
  ];

  const lax = judge(evidence(exited(0), output));
  const strict = judge(evidence(exited(0), output, { strictPermissions: true }));

  expect(lax.verdict.ok).toBe(true);
  expect(lax.warnings[0]).toContain("Bash (2 times), Edit");
  expect(strict.verdict).toMatchObject({ ok: false, code: "permission-denied" });
});

test("F09: the message holds what claude said, and the exit code where nothing was said", () => {
  const said = judge(evidence(exited(1), [init, apiError(400)])).verdict;
  const silent = judge(evidence(exited(7), [])).verdict;

  expect(said).toMatchObject({ message: "the service refused the request: API Error: 400 mock" });
  expect(silent).toMatchObject({ message: "claude failed: exit 7" });
});

test.each([
  [
    "an event's moment",
    limitEvent("rejected", 1_772_800_000),
    "resets 3pm (UTC)",
    "2026-03-06T12:26:40.000Z",
  ],
  ["unix seconds", init, "Claude AI usage limit reached|1772800000", "2026-03-06T12:26:40.000Z"],
  [
    "a time of day",
    init,
    "You've hit your session limit · resets 3:30pm (UTC)",
    "2026-03-05T15:30:00.000Z",
  ],
  [
    "a time of day that is over",
    init,
    "You've hit your limit · resets 3am (UTC)",
    "2026-03-06T03:00:00.000Z",
  ],
  [
    "a zone",
    init,
    "You've hit your limit · resets 3pm (America/New_York)",
    "2026-03-05T20:00:00.000Z",
  ],
  [
    "a date",
    init,
    "You've hit your weekly limit · resets Mar 9, 10am (Europe/Berlin)",
    "2026-03-09T09:00:00.000Z",
  ],
  ["an unknown zone", init, "You've hit your limit · resets 3pm (Mars/Base)", null],
  ["nothing", init, "You've hit your limit", null],
])("the reset of a usage limit is read from %s (6.5)", (_, event, result, resetsAt) => {
  const { verdict } = judge(
    evidence(exited(1), [init, event, { ...success, is_error: true, result }]),
  );

  expect(verdict).toMatchObject({ ok: false, code: "usage-limit", transient: false, resetsAt });
});

test("the wait that the service asked for comes along (2.4)", () => {
  const retry = { type: "system", subtype: "api_retry", retry_delay_ms: 8000, session_id: "s" };

  const { verdict } = judge(evidence(exited(1), [init, retry, apiError(429)]));

  expect(verdict).toMatchObject({ code: "rate-limit", transient: true, retryAfterMs: 8000 });
});
