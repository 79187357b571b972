/** What a `result` event complains about, as a stable code with words (spec 6.2). Pure. */
import type { ResultEvent } from "./event-stream.ts";

export interface Trouble {
  /**
   * Stable. `api-unavailable` is the transient one (overload, 5xx, rate limit, no connection): worth
   * another try. All others stay as they are when repeated.
   */
  readonly code: string;
  readonly message: string;
  readonly next: readonly string[];
}

/** `null`: the result says success. */
export function troubleOf(result: ResultEvent): Trouble | null {
  const bySubtype = subtypeTrouble(result);
  if (bySubtype !== null) return bySubtype;
  if (result.stopReason === "refusal")
    return trouble("refusal", "the model refused to answer", result, ["reword the prompt"]);
  if (!result.isError) return null;
  return errorTrouble(result);
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
function errorTrouble(result: ResultEvent): Trouble {
  const text = result.text ?? "";
  const status = result.apiErrorStatus;
  if (/^(Not logged in|Invalid API key)\b/i.test(text) || status === 401)
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
  // A connection that could not be made has no status.
  const transient = status === null || status === 408 || status === 429 || status >= 500;
  if (transient)
    return trouble("api-unavailable", "the service failed after claude's own retries", result, [
      "try again later",
    ]);
  return trouble("api-error", "the service refused the request", result, []);
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
  return { code, message: cut === "" ? what : `${what}: ${cut}`, next };
}
