/** What a resumed session says first: what is reused, what starts again, what is left (spec 7). */
import type { Event } from "../engine/events.ts";
import type { ReusedStep, SessionResumed } from "../engine/resumed-event.ts";
import { formatCount, formatMoney } from "./format.ts";
import { boundsLine } from "./limit-wording.ts";
import { complain, type Line, say } from "./line.ts";
import { inline } from "./safe-text.ts";
import { shortSha } from "./summary-wording.ts";
import type { Symbols } from "./symbols.ts";

/** More rows tell nobody more; `mmm sessions show` has them all. */
const MOST_ROWS = 12;

export function resumeWords(
  event: Extract<Event, { type: "session-resumed" | "unit-restarted" }>,
  symbols: Symbols,
): Line[] {
  return event.type === "session-resumed"
    ? sessionResumed(event, symbols)
    : unitRestarted(event, symbols);
}

function sessionResumed(event: SessionResumed, symbols: Symbols): Line[] {
  const { reused, inFlight, alsoInFlight = [] } = event;
  const { dot } = symbols;
  const commits = reused.reduce((sum, step) => sum + step.commits.length, 0);
  const facts = [
    reused.length === 0 ? "nothing is reused" : `${formatCount(reused.length, "step")} reused`,
    ...(commits === 0 ? [] : [formatCount(commits, "commit")]),
    costWords(event.costUsd),
  ];
  const lines = [
    say(`${symbols.again} Resuming ${inline(event.session)} (${facts.join(dot)})`, "strong"),
    ...rows(reused, symbols),
    ...boundsLine(event.limits, symbols),
  ];
  if (event.why !== null)
    lines.push(complain(`${symbols.warning} ${inline(event.why, 400)}`, "warn"));
  const again = [...alsoInFlight, ...(inFlight === null ? [] : [inFlight])];
  lines.push(...again.toSorted(byInput).map((each) => startsAgain(each, symbols)));
  const { inputs, parallel = 1 } = event;
  const left = [
    // Of inputs at once each stands in an iteration of its own.
    ...(parallel > 1 ? [] : [`${formatCount(event.left, "step")} of this iteration left`]),
    ...(inputs === null ? [] : [`${inputs.finished} of ${inputs.total} inputs are done`]),
  ];
  lines.push(say(`   ${symbols.bullet} ${left.join(", ")}`));
  return lines;
}

type CutShort = NonNullable<SessionResumed["inFlight"]>;

function byInput(one: CutShort, other: CutShort): number {
  return (one.at.input ?? 0) - (other.at.input ?? 0);
}

function startsAgain({ at, attempt }: CutShort, symbols: Symbols): Line {
  const which = attempt > 1 ? `, attempt ${attempt}` : "";
  const label = inline(at.label, 60, symbols.ellipsis);
  return say(`   ${symbols.again} ${placeWords(at)} ${label}${which}: was cut short, starts again`);
}

function rows(reused: readonly ReusedStep[], symbols: Symbols): Line[] {
  const shown = reused.slice(-MOST_ROWS);
  const hidden = reused.length - shown.length;
  const first =
    hidden === 0
      ? []
      : [say(`   ${symbols.ellipsis} ${formatCount(hidden, "earlier step")}`, "dim")];
  return [...first, ...shown.map((step) => row(step, symbols))];
}

function row({ at, conclusion, commits, outputs, costUsd }: ReusedStep, symbols: Symbols): Line {
  const signs = {
    succeeded: "done",
    skipped: "skipped",
    failed: "failed",
    tolerated: "warning",
  } as const;
  const sign = symbols[signs[conclusion]];
  const facts = [
    ...commits.map(({ sha }) => shortSha(sha)),
    ...(outputs.length === 0 ? [] : [inline(outputs.join(", "), 60, symbols.ellipsis)]),
    ...(at.kind === "claude" ? [costWords(costUsd)] : []),
  ];
  const label = inline(at.label, 60, symbols.ellipsis);
  const tail = facts.length === 0 ? "" : ` (${facts.join(symbols.dot)})`;
  return say(`   ${sign} ${placeWords(at)} ${label}${tail}`, "dim");
}

function placeWords({ step, iteration, input }: ReusedStep["at"]): string {
  const of = input === null ? "" : `input ${input}, `;
  return `${of}${iteration}/${step}`;
}

function costWords(costUsd: number | null): string {
  return costUsd === null ? "cost unknown" : formatMoney(costUsd);
}

function unitRestarted(
  event: Extract<Event, { type: "unit-restarted" }>,
  symbols: Symbols,
): Line[] {
  const what = formatCount(event.files.length, "file");
  const are = event.files.length === 1 ? "is" : "are";
  const text = `${symbols.undone} Back to ${shortSha(event.head)}: ${what} ${LEFT_BY[event.why]} ${are} kept in ${inline(event.kept, 400)}`;
  return [complain(text, "warn")];
}

const LEFT_BY = {
  "cut-short": "that the unit had left when it was cut short",
  failed: "that the failed step had left",
  changed: "that the step which has changed, and those after it, had made",
} as const;
