/** What a `result` event complains about, as a stable code with words (spec 6.2). Pure. */
import type { ResultEvent } from "./event-stream.ts";
import { usageLimitOf, type RateLimit } from "./usage-limit.ts";

export interface Trouble {
  /** Stable; docs/claude.md has the list. */
  readonly code: string;
  readonly message: string;
  readonly next: readonly string[];
  /** Worth another try soon: overload, 5xx, no connection, a rate limit with a short wait, silence. */
  readonly transient: boolean;
  /** The wait that the service asked for, in milliseconds; `null`: it did not say. */
  readonly retryAfterMs: number | null;
  /** ISO; set only when a usage limit was reached and its end is known. */
  readonly resetsAt: string | null;
}

/** What else the stream told before the result. */
export interface Around {
  readonly rateLimit: RateLimit | null;
  /** Delay of the CLI's latest own retry. */
  readonly retryDelayMs: number | null;
  readonly now: Date;
}

/** Trouble that stays as it is when repeated. */
export function lasting(code: string, message: string, next: readonly string[] = []): Trouble {
  return { code, message, next, transient: false, retryAfterMs: null, resetsAt: null };
}

/** `null`: the result says success. */
export function troubleOf(result: ResultEvent, around: Around): Trouble | null {
  const bySubtype = subtypeTrouble(result);
  if (bySubtype !== null) return bySubtype;
  if (result.stopReason === "refusal")
    return trouble("refusal", "the model refused to answer", result, ["reword the prompt"]);
  if (!result.isError) return null;
  return errorTrouble(result, around);
}

/** The oldest versions say `is_error: false` on these, so the subtype alone decides. */
function subtypeTrouble(result: ResultEvent): Trouble | null {
  switch (result.subtype) {
    case "success":
      return null;
    case "error_max_turns":
      return trouble("max-turns", "claude reached max_turns before it was done", result, [
        "raise max_turns:, or give the step less to do",
      ]);
    case "error_max_budget_usd":
      return trouble("budget", "claude spent its budget before it was done", result, [
        "raise the cost limit",
      ]);
    case "error_max_structured_output_retries":
      return trouble(
        "no-structured-output",
        "claude gave no answer that fits output_schema",
        result,
        ["make output_schema simpler, or say in the prompt what the answer must hold"],
      );
    case "error_during_execution":
      return trouble("interrupted", "claude was interrupted", result, []);
    default:
      return trouble(
        "failed",
        `claude ended with ${result.subtype ?? "a result without subtype"}`,
        result,
        [],
      );
  }
}

/** `subtype: success` with `is_error: true`: trouble with the service or the request. */
function errorTrouble(result: ResultEvent, around: Around): Trouble {
  const text = result.text ?? "";
  const status = statusOf(result);
  const limit = usageLimitOf(text, around.rateLimit, around.now);
  if (limit !== null && (status === null || status === 429))
    return {
      ...trouble("usage-limit", "the account's usage limit is reached", result, [
        limit.resetsAt === null ? "go on when it is reset" : `it is reset at ${limit.resetsAt}`,
      ]),
      resetsAt: limit.resetsAt,
    };
  if (
    /^(Not logged in|Invalid API key|OAuth token (has )?(expired|been revoked))\b/i.test(text) ||
    status === 401
  )
    return trouble("not-logged-in", "claude is not logged in", result, [
      "run claude once and /login, or set ANTHROPIC_API_KEY",
    ]);
  if (
    /^(API Error: \d+ .*)?prompt is too long\b/is.test(text) ||
    result.terminalReason === "blocking_limit"
  )
    return trouble("prompt-too-long", "the prompt is too long", result, [
      "pass big values by file: name the path in the prompt",
    ]);
  const isApi =
    status !== null || result.terminalReason === "api_error" || /^API Error\b/.test(text);
  if (!isApi) return trouble("failed", "claude reports an error", result, []);
  return serviceTrouble(result, status, around.retryDelayMs);
}

function serviceTrouble(
  result: ResultEvent,
  status: number | null,
  retryAfterMs: number | null,
): Trouble {
  const again = (code: string, what: string): Trouble => ({
    ...trouble(code, `${what}, also after claude's own retries`, result, ["try again later"]),
    transient: true,
    retryAfterMs,
  });
  // An overload in the middle of a stream has no status of its own.
  if (status === 529 || (status === null && /\boverloaded(_error)?\b/i.test(result.text ?? "")))
    return again("overloaded", "the service is overloaded");
  if (status === 429) return again("rate-limit", "the service limits the rate of requests");
  if (status === 408 || status === null)
    return again("connection", "the service could not be reached");
  if (status >= 500) return again("server-error", "the service failed");
  return trouble("api-error", "the service refused the request", result, []);
}

/** Versions before 2.1 have the status in the text alone. */
function statusOf({ apiErrorStatus, text }: ResultEvent): number | null {
  if (apiErrorStatus !== null) return apiErrorStatus;
  const said = /^API Error: (?:Request rejected \()?(\d{3})\b/.exec(text ?? "")?.[1];
  return said === undefined ? null : Number(said);
}

function trouble(
  code: string,
  what: string,
  result: ResultEvent,
  next: readonly string[],
): Trouble {
  const detail = [result.text ?? "", ...result.errors].find((text) => text.trim() !== "") ?? "";
  const line = detail.trim().split("\n")[0] ?? "";
  const cut = line.length > 300 ? `${line.slice(0, 299)}…` : line;
  return lasting(code, cut === "" ? what : `${what}: ${cut}`, next);
}
