/** One step of a plan, its handlers below it (`mmm cook --dry-run`). */
import type { Dependency } from "../playbook/plan-depends.ts";
import { formatDuration, formatMoney, formatNumber } from "./format.ts";
import type { Line } from "./line.ts";
import type { GateReport, HandlerReport, StepReport } from "./plan-report.ts";
import { fact } from "./plan-rows.ts";
import { inline, safeLines } from "./safe-text.ts";

/** Lines of one command or prompt; `--reporter json` has all of them. */
const MAX_LINES = 30;

export function planStepLines(
  step: StepReport,
  columns: number | null,
  indent = 0,
): readonly Line[] {
  const id = step.id === null ? "" : ` [${step.id}]`;
  const title = `${step.step}${id} ${step.kind}: ${inline(step.label, 200)}`;
  return [
    ...fact({ text: `${title} (${step.place})`, indent, tone: "strong" }, columns),
    ...factsOf(step).flatMap(([key, text]) => fact({ key, text, indent: indent + 1 }, columns)),
    ...step.handlers.flatMap((handler) => handlerLines(handler, columns, indent + 1)),
  ];
}

type Facts = readonly (readonly [key: string, text: string])[];

function factsOf(step: StepReport): Facts {
  const lines = [
    ...textFacts("run", step.rendered?.text ?? null),
    ...textFacts("stdin", step.stdin?.text ?? null),
    ...one("if", step.condition),
    ...one("needs", step.dependsOn.map(needWords).join("; ")),
    ...step.env.flatMap(({ name, value }) => textFacts("env", `${name}=${value.text}`)),
    ...one("secrets", step.secrets.join(", ")),
    ...one("in", step.workingDir?.text ?? null),
    ...one("claude", claudeWords(step)),
    ...one("timeout", step.timeoutMs === null ? null : formatDuration(step.timeoutMs)),
    ...one("retry", step.maxRuns === 1 ? null : `up to ${step.maxRuns} runs an attempt`),
    ...one("outputs", step.outputs.map(({ name, rule }) => `${name} (${rule})`).join(", ")),
    ...step.validation.flatMap((gate) => one("gate", gateWords(gate))),
    ...one("commit", commitWords(step)),
    ...one("on error", step.continueOnError ? "the run goes on" : null),
    ...one("expected", expectedWords(step)),
  ];
  return lines;
}

/** `tests: npm test`. */
export function gateWords(gate: GateReport): string {
  const { name, text, kind, timeoutMs } = gate;
  const rule = ruleWords(gate);
  if (text === null) return `${name}: left out, the project has no command for it`;
  const [first = "", ...more] = safeLines(text.text.trim());
  const what = more.length === 0 ? first : `${first} ...`;
  const timeout = timeoutMs === null ? "" : ` (timeout ${formatDuration(timeoutMs)})`;
  return kind === "expression" && name === text.text ? what : `${name}${rule}: ${what}${timeout}`;
}

/** ` must not regress by more than 5%, higher is better`. */
function ruleWords({ must, tolerance, better }: GateReport): string {
  if (must === null) return "";
  const by = tolerance === null || tolerance === "0" ? "" : ` by more than ${tolerance}`;
  const way = better === null ? "" : `, ${better} is better`;
  return ` must ${must.replace("_", " ")}${by}${way}`;
}

/** Nothing for what says nothing. */
function one(key: string, text: string | null): Facts {
  return text === null || text === "" ? [] : [[key, text]];
}

function textFacts(key: string, text: string | null): Facts {
  if (text === null) return [];
  const lines = safeLines(text.trim());
  const left = lines.length - MAX_LINES;
  const shown = left > 1 ? [...lines.slice(0, MAX_LINES), `... ${left} more lines`] : lines;
  return shown.map((line, index) => [index === 0 ? key : "", line]);
}

function needWords({ step, references }: Dependency): string {
  return `${step} (${references.join(", ")})`;
}

function claudeWords({ claude }: StepReport): string {
  if (claude === null) return "";
  const { model, maxTurns, permissionMode, allowedTools, consumesSpec } = claude;
  return [
    ...(model === null ? [] : [`model ${model}`]),
    ...(maxTurns === null ? [] : [`at most ${maxTurns} turns`]),
    ...(permissionMode === null ? [] : [`permissions ${permissionMode}`]),
    ...(allowedTools.length === 0 ? [] : [`tools ${allowedTools.join(" ")}`]),
    ...(consumesSpec ? ["takes the newest spec when it has no argument"] : []),
  ].join(", ");
}

function commitWords({ commit, commitMessage }: StepReport): string {
  const need = commit.required ? "required" : "optional";
  const words = [
    commit.defaulted ? `${need} by default` : need,
    ...(commit.auto === "off" ? ["mmm makes none"] : []),
    ...(commit.auto === "all" ? ["whatever is left"] : []),
    ...(commitMessage === null ? [] : [`"${inline(commitMessage.text, 200)}"`]),
  ];
  // What a shell step does without a word is not worth one.
  return words.length === 1 && commit.defaulted && !commit.required ? "" : words.join(", ");
}

/** Nested steps are not expected to run. */
function expectedWords({ expected, kind, step }: StepReport): string {
  if (step.includes(".")) return "";
  if (expected === null || expected.durationMs === null) return "unknown";
  const { durationMs, costUsd, samples } = expected;
  const cost = costUsd === null ? "cost unknown" : formatMoney(costUsd);
  const paid = kind === "claude" || costUsd !== null ? `, ${cost}` : "";
  const runs = samples === 1 ? "1 run" : `${formatNumber(samples)} runs`;
  return `${formatDuration(durationMs)}${paid} (${runs})`;
}

function handlerLines(
  handler: HandlerReport,
  columns: number | null,
  indent: number,
): readonly Line[] {
  const { handler: name, maxAttempts, failWorkflow, steps } = handler;
  const words = [
    maxAttempts === null
      ? name === "do"
        ? "for each item"
        : "after a success"
      : attemptWords(maxAttempts),
    ...(failWorkflow ? [] : ["a failure does not end the run"]),
  ];
  return [
    ...fact({ text: `${name}: ${words.join("; ")}`, indent }, columns),
    ...steps.flatMap((step) => planStepLines(step, columns, indent + 1)),
  ];
}

function attemptWords(maxAttempts: number): string {
  return maxAttempts === 1
    ? "once, to clean up"
    : `then the step again, ${maxAttempts} runs of it at most`;
}
