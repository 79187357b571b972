/** Words for what went wrong in a run; the catalogue of `errors.ts` is for what stops mmm itself. */
import { unreachable } from "../lib/unreachable.ts";
import type { FailureDetail } from "./events.ts";
import type { RenderProblem } from "./render.ts";
import type { Failure, ProcessEnd } from "./outcome.ts";

/** `null` for exit code 0. */
export function processFailure(what: string, end: ProcessEnd): Failure | null {
  switch (end.kind) {
    case "exited":
      if (end.code === 0) return null;
      return failure("process", `${what} ended with exit code ${end.code}`, end.code);
    case "signalled":
      return failure("process", `${what} was ended by ${end.signal}`);
    case "timed-out":
      return failure(
        "process",
        `${what} ran for ${end.afterMs / 1000} s, its timeout, and was ended with all its children`,
      );
    case "cancelled":
      return failure("cancelled", `${what} was ended because mmm was told to stop`);
    case "not-started":
      return failure("process", `${what} could not be started: ${end.reason}`);
    default:
      return unreachable(end);
  }
}

export function refused(problem: Extract<RenderProblem, { kind: "refused" }>): Failure {
  return { reason: "value", message: problem.message, exitCode: null, next: problem.next };
}

export function failure(
  reason: Failure["reason"],
  message: string,
  exitCode: number | null = null,
  next: readonly string[] = [],
): Failure {
  return { reason, message, exitCode, next };
}

/** A failure of which no child knows. */
export function withoutRun(why: Failure): FailureDetail {
  return { ...why, rendered: "", end: null, tail: "", log: null };
}

/** Where no child was at work when mmm was told to stop. */
export function cancelled(rendered: string): FailureDetail {
  return { ...withoutRun(failure("cancelled", "mmm was told to stop")), rendered };
}

const TAIL_LINES = 20;

export function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
}
