/** The plan of a playbook for people (`mmm cook --dry-run`): where, how often, each step, what it costs at most. */
import { unreachable } from "../lib/unreachable.ts";
import { MOST_RUNS, type Runs } from "../playbook/plan-worst-case.ts";
import { formatCount, formatDuration, formatMoney, formatNumber } from "./format.ts";
import { complain, type Line, say } from "./line.ts";
import { gateWords, planStepLines } from "./plan-step-wording.ts";
import type { PlanProblem, PlanReport } from "./plan-report.ts";
import { fact } from "./plan-rows.ts";
import { inline } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";

/** @param columns of the terminal; `null`: a pipe, where lines are as long as they are */
export function planLines(
  report: PlanReport,
  { columns, symbols }: { readonly columns: number | null; readonly symbols: Symbols },
): readonly Line[] {
  const { name, description } = report.playbook;
  const title = description === null ? name : `${name}: ${description}`;
  return [
    ...fact({ text: `${symbols.plan} Plan of ${title}`, indent: 0, tone: "strong" }, columns),
    ...headFacts(report).flatMap(([key, text]) => fact({ key, text, indent: 1 }, columns)),
    ...report.steps.flatMap((step) => [say(""), ...planStepLines(step, columns)]),
    ...mergeLines(report, columns),
    say(""),
    ...boundFacts(report).flatMap(([key, text]) =>
      fact({ key, text, indent: 1, from: key === "at most" ? -1 : 0 }, columns),
    ),
    ...report.notes.map((note) => complain(`${symbols.warning} ${note}`, "warn")),
    ...report.problems.flatMap((problem) => problemLines(problem, symbols)),
  ];
}

type Facts = readonly (readonly [key: string, text: string])[];

function headFacts(report: PlanReport): Facts {
  const { playbook, tree, inputs, iterations, params, secrets } = report;
  const named = inputs.first.map(({ arg, file }) => inline(file ?? arg, 60)).join(", ");
  const more = inputs.count > inputs.first.length ? ", ..." : "";
  const branch = tree.branch === null ? "" : `, branch ${tree.branch}`;
  const worktree = tree.isWorktree ? ", in a worktree of its own" : "";
  const atOnce = inputs.atOnce > 1 ? ` (${inputs.atOnce} at once, each in a worktree)` : "";
  return [
    ["playbook", `${playbook.file}${playbook.shipped ? ", which mmm ships" : ""}`],
    ["tree", `${tree.root}${branch}${worktree}`],
    ...when(tree.cwd !== tree.root, "directory", tree.cwd),
    ["commits", report.commit === "auto" ? "of what each step leaves" : "none"],
    ...when(report.replay !== null, "replay", `${report.replay ?? ""} stands in for Claude`),
    [
      "inputs",
      inputs.count === 0 ? "none" : `${formatNumber(inputs.count)}: ${named}${more}${atOnce}`,
    ],
    ["iterations", `${iterationWords(iterations.max)}${FROM[iterations.from]}`],
    ...when(report.until !== null, "until", report.until === null ? "" : gateWords(report.until)),
    ...when(
      params.length > 0,
      "params",
      params.map(({ name, value }) => `${name}=${inline(valueWords(value), 60)}`).join(", "),
    ),
    ...when(secrets.length > 0, "secrets", secrets.join(", ")),
    ["limits", limitWords(report)],
  ];
}

function valueWords(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function when(isTold: boolean, key: string, text: string): Facts {
  return isTold ? [[key, text]] : [];
}

const FROM = {
  option: " (--max-iterations)",
  playbook: " (max_iterations of the playbook)",
  default: " (default)",
};

function iterationWords(max: number): string {
  return max === 1 ? "1" : `at most ${formatNumber(max)}`;
}

function limitWords({ limits: { costUsd, tokens, durationMs } }: PlanReport): string {
  const facts = [
    ...(costUsd === null ? [] : [formatMoney(costUsd)]),
    ...(tokens === null ? [] : [formatCount(tokens, "token")]),
    ...(durationMs === null ? [] : [`${formatDuration(durationMs)} at work`]),
  ];
  return facts.length === 0 ? "none" : facts.join(", ");
}

function boundFacts(report: PlanReport): Facts {
  const { worstCase, iterations, inputs } = report;
  const { max } = iterations;
  const factors = [
    formatCount(max, "iteration"),
    ...(inputs.count === 0 ? [] : [formatCount(inputs.count, "input")]),
  ];
  const isMultiplied = max > 1 || inputs.count > 1;
  return [
    ["at most", runWords(worstCase.total)],
    ...when(isMultiplied, "", `${factors.join(" x ")} x (${runWords(worstCase.iteration)})`),
    ["bounded by", boundedBy(report)],
    ["expected", expectedWords(report)],
    ...when(report.expected.session.samples > 0, "", sessionWords(report)),
  ];
}

function boundedBy(report: PlanReport): string {
  const own = "iterations and attempts";
  const limits = limitWords(report);
  if (limits !== "none") return `${own}; suspended at ${limits}`;
  const pays = report.worstCase.total.claude > 0;
  return pays ? `${own}; no limit of money or time (--max-cost, --max-duration)` : own;
}

/** `3 runs of Claude, 6 of shell commands`. */
function runWords(runs: Runs): string {
  const words = (["claude", "shell", "gates", "analyze"] as const).flatMap((kind) =>
    runs[kind] === 0 ? [] : [`${countWords(runs[kind])} ${kindWords(kind)}`],
  );
  return words.length === 0 ? "nothing is run" : words.join(", ");
}

function countWords(count: number): string {
  if (count >= MOST_RUNS) return `over ${formatNumber(MOST_RUNS)} runs`;
  return formatCount(count, "run");
}

function kindWords(kind: keyof Runs): string {
  switch (kind) {
    case "claude":
      return "of Claude";
    case "shell":
      return "of shell commands";
    case "gates":
      return "of gates";
    case "analyze":
      return "of analysis";
    default:
      return unreachable(kind);
  }
}

function expectedWords({ expected, steps }: PlanReport): string {
  const { sessions, iteration } = expected;
  if (sessions === 0 || iteration.durationMs === null)
    return "unknown: no earlier session of this playbook";
  const cost = iteration.costUsd === null ? "" : ` and ${formatMoney(iteration.costUsd)}`;
  const open =
    iteration.unknown === 0 ? "" : `, and what ${unknownSteps(iteration.unknown, steps.length)}`;
  const from = formatCount(sessions, "earlier session");
  return `${formatDuration(iteration.durationMs)}${cost} an iteration${open} (${from})`;
}

function unknownSteps(unknown: number, all: number): string {
  return `${unknown} of ${formatCount(all, "step")} ${unknown === 1 ? "takes is" : "take is"} unknown`;
}

/** Of sessions with as many inputs. */
function sessionWords({ expected: { session }, inputs }: PlanReport): string {
  const time = session.durationMs === null ? "unknown" : formatDuration(session.durationMs);
  const cost = session.costUsd === null ? "" : ` and ${formatMoney(session.costUsd)}`;
  const like = inputs.count === 0 ? "" : ` with ${formatCount(inputs.count, "input")}`;
  return `${time}${cost} a session (${session.samples} completed${like})`;
}

function problemLines({ message, next, exitCode }: PlanProblem, { failed }: Symbols): Line[] {
  const [first = "", ...more] = message.split("\n");
  return [
    complain(`${failed} a run would be refused here (exit ${exitCode}): ${first}`),
    ...[...more, ...next].map((line) => complain(`   ${line}`, "plain")),
  ];
}

function mergeLines({ merge }: PlanReport, columns: number | null): readonly Line[] {
  if (merge.length === 0) return [];
  const lines = merge.flatMap((step) => [say(""), ...planStepLines(step, columns)]);
  return [say(""), say("  merge      of a worktree's branch, by these steps"), ...lines];
}
