/** Why a session ended, in words (spec 4, "Stops"). */
import type { Event } from "../engine/events.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatCount, formatNumber } from "./format.ts";
import { limitWords } from "./limit-wording.ts";
import type { RunMemory } from "./run-memory.ts";
import { inline } from "./safe-text.ts";

export type SessionFinished = Event & { readonly type: "session-finished" };

export function stopWords(event: SessionFinished, memory: RunMemory): string {
  switch (event.stop) {
    case "iterations-done":
      return "All iterations done";
    case "no-changes":
      return "The last iteration changed nothing";
    case "nothing-to-do":
      return "No more issues found";
    case "step-failed":
      return memory.failed === null ? "A step failed" : `Step ${stepWords(memory.failed)} failed`;
    case "input-failed":
      return `${failedInputWords(event)} failed${notRunWords(event, memory)}`;
    case "limit":
    case "usage-limit":
      return event.limit === null ? "A limit was reached" : limitWords(event.limit);
    case "until":
      return memory.until === null ? "until is met" : `${inline(memory.until.label, 120)} is met`;
    case "merge-conflict":
      return "The merge met a conflict";
    case "merge-gate":
      return "A gate failed on the merge";
    case "merge-refused":
      return "The merge was refused";
    case "criterion-unmet":
      return unmetWords(memory);
    case "interrupted":
      return "Interrupted";
    default:
      return unreachable(event.stop);
  }
}

function unmetWords({ until }: RunMemory): string {
  if (until === null) return "until is not met";
  const why = until.why === null ? "" : `: ${inline(until.why, 300)}`;
  return `${inline(until.label, 120)} is not met${why}`;
}

/** Under `--fail-fast` the inputs after the failed one. */
function notRunWords(
  { inputResults }: SessionFinished,
  { inputs, atWork: { finished } }: RunMemory,
): string {
  const listed = inputResults.filter(({ status }) => status === "not-run").length;
  const left = inputResults.length > 0 ? listed : inputs - finished;
  return left > 0 ? `, ${formatNumber(left)} not run (--fail-fast)` : "";
}

/** `1 of 3 inputs`. */
export function failedInputWords({ failedInputs }: Pick<SessionFinished, "failedInputs">): string {
  const total = failedInputs[0]?.input.total ?? failedInputs.length;
  return `${failedInputs.length} of ${formatCount(total, "input")}`;
}

/** `3/5 (npm test)`; a handler's step is named by its path. */
export function stepWords(at: {
  readonly step: string;
  readonly number: number;
  readonly total: number;
  readonly depth: number;
  readonly label: string;
}): string {
  const name = at.depth === 0 ? `${at.number}/${at.total}` : inline(at.step);
  return `${name} (${inline(at.label, 80)})`;
}
