/** What became of each input, at the end of a run: a table, and under it why some failed (spec 8.4, 10). */
import { textWidth } from "./text-width.ts";

import type { InputResult } from "../engine/input-events.ts";
import { formatDuration, formatMoney, formatNumber } from "./format.ts";
import { say, type Line, type Tone } from "./line.ts";
import type { RunMemory } from "./run-memory.ts";
import { cutToWidth, inline } from "./safe-text.ts";
import { failedInputWords, type SessionFinished } from "./stop-wording.ts";
import type { Symbols } from "./symbols.ts";

/** More would push the status off the screen; `mmm sessions show` has them all. */
const ROWS = 50;
const NAME_MOST = 60;
const NAME_LEAST = 8;
const GAP = "  ";

interface TableContext {
  readonly memory: RunMemory;
  readonly symbols: Symbols;
  /** Of the terminal; `null`: nothing is cut. */
  readonly columns: number | null;
}

/** A session that was broken off has no failed ones beside those in the table. */
type Ended = Pick<SessionFinished, "session" | "inputResults" | "failedInputs" | "next">;

export function inputTable(event: Ended, context: TableContext, indent: string): Line[] {
  const results = event.inputResults;
  if (results.length < 2) return failedList(event, context, indent);
  const shown = chosen(results);
  const more = results.length - shown.length;
  return [
    say(`${indent}Inputs: ${countWords(results)}`),
    ...tableLines(shown, context, `${indent}${GAP}`),
    ...(more > 0 ? [say(`${indent}${GAP}and ${formatNumber(more)} more`)] : []),
    ...shown.flatMap((result) => whyLines(result, { event, context, indent })),
    ...restLines(results, shown, { event, indent }),
    ...openLines(event, context, indent),
  ];
}

/** All in their order, or those that did not go well first. */
function chosen(results: readonly InputResult[]): readonly InputResult[] {
  if (results.length <= ROWS) return results;
  return results.toSorted((a, b) => RANKS[a.status] - RANKS[b.status]).slice(0, ROWS);
}

const RANKS = { failed: 0, suspended: 1, interrupted: 1, "not-run": 2, completed: 3 } as const;

const STATUS_WORDS = {
  completed: "completed",
  failed: "failed",
  suspended: "suspended",
  interrupted: "interrupted",
  "not-run": "not run",
} as const;

const TONES: Readonly<Record<InputResult["status"], Tone>> = {
  completed: "plain",
  failed: "bad",
  suspended: "warn",
  interrupted: "warn",
  "not-run": "dim",
};

/** `17 completed, 2 failed, 1 not run`. */
function countWords(results: readonly InputResult[]): string {
  const counts = new Map<InputResult["status"], number>();
  for (const { status } of results) counts.set(status, (counts.get(status) ?? 0) + 1);
  const order = ["completed", "failed", "suspended", "interrupted", "not-run"] as const;
  return order
    .flatMap((status) => {
      const count = counts.get(status);
      return count === undefined ? [] : [`${formatNumber(count)} ${STATUS_WORDS[status]}`];
    })
    .join(", ");
}

interface Cell {
  readonly text: string;
  readonly right: boolean;
}

function tableLines(
  results: readonly InputResult[],
  { columns, symbols }: TableContext,
  indent: string,
): Line[] {
  const paid = results.some(({ costUsd }) => costUsd !== 0);
  const rows = [headCells(paid), ...results.map((result) => cells(result, { paid, symbols }))];
  const widths = (rows[0] ?? []).map((_cell, at) =>
    Math.max(...rows.map((row) => textWidth(row[at]?.text ?? ""))),
  );
  // One column stays free, as for every line.
  const room = columns === null ? Infinity : columns - 1;
  const all = indent.length + widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
  const [, name = 0] = widths;
  widths[1] = Math.max(Math.min(NAME_LEAST, name), Math.min(name, name - (all - room)));
  return rows.map((row, at) => {
    const text = row.map((cell, nth) => fitted(cell, widths[nth] ?? 0, symbols)).join(GAP);
    const line = cutToWidth(`${indent}${text}`.trimEnd(), Math.min(room, 4000), symbols.ellipsis);
    const status = results[at - 1]?.status;
    return say(line, status === undefined ? "dim" : TONES[status]);
  });
}

function headCells(paid: boolean): readonly Cell[] {
  return [
    { text: "", right: true },
    { text: "input", right: false },
    { text: "status", right: false },
    { text: "commits", right: true },
    ...(paid ? [{ text: "cost", right: true }] : []),
    { text: "time", right: true },
  ];
}

function cells(
  { input, status, commits, costUsd, knownCostUsd, durationMs }: InputResult,
  { paid, symbols }: { readonly paid: boolean; readonly symbols: Symbols },
): readonly Cell[] {
  const least = knownCostUsd === 0 ? "unknown" : `≥ ${formatMoney(knownCostUsd)}`;
  const cost = costUsd === null ? least : formatMoney(costUsd);
  const ran = status !== "not-run";
  // One that begins anew, and whose turn has not come since, was paid for before.
  const isPaid = ran || costUsd !== 0;
  return [
    { text: String(input.index), right: true },
    { text: inline(input.file ?? input.arg, NAME_MOST, symbols.ellipsis), right: false },
    { text: STATUS_WORDS[status], right: false },
    { text: ran ? formatNumber(commits) : "", right: true },
    ...(paid ? [{ text: isPaid ? cost : "", right: true }] : []),
    { text: durationMs === null ? "" : formatDuration(durationMs), right: true },
  ];
}

function fitted({ text, right }: Cell, width: number, symbols: Symbols): string {
  const cut = cutToWidth(text, width, symbols.ellipsis);
  const space = " ".repeat(Math.max(0, width - textWidth(cut)));
  return right ? space + cut : cut + space;
}

/** Failed ones that have no row. */
function restLines(
  results: readonly InputResult[],
  shown: readonly InputResult[],
  { event, indent }: { readonly event: Ended; readonly indent: string },
): Line[] {
  const isFailed = ({ status }: InputResult): boolean => status === "failed";
  const more = results.filter(isFailed).length - shown.filter(isFailed).length;
  if (more === 0) return [];
  const all = `mmm sessions show ${inline(event.session, 200)}`;
  return [say(`${indent}${formatNumber(more)} more failed: ${all}`, "bad")];
}

/** Why it failed, and where what it made is; also of a good one whose worktree was kept. */
function whyLines(
  { input, status, message, branch, path }: InputResult,
  {
    event,
    context: { symbols, memory },
    indent,
  }: { readonly event: Ended; readonly context: TableContext; readonly indent: string },
): Line[] {
  const name = nameOf(input, symbols);
  const next = memory.atWork.kept.get(input.index) ?? "";
  const type = next === "" || event.next.includes(next) ? "" : `: ${inline(next, 4000)}`;
  // An earlier process may have said what to type.
  const at = type === "" && path !== null ? ` at ${inline(path, 4000)}` : type;
  const where = branch === null ? "" : `kept on branch ${inline(branch, 200)}${at}`;
  const why = inline(message ?? "", 160, symbols.ellipsis);
  if (status === "completed") {
    if (branch === null) return [];
    // Merged, and what was to put it away broke.
    const isBranchAlone = path === null && type === "";
    const what = isBranchAlone
      ? `its branch ${inline(branch, 200)} is still there`
      : `its worktree is ${where}`;
    return [say(`${indent}${symbols.warning} ${name}: ${what}`, "warn")];
  }
  if (status !== "failed")
    return why === "" ? [] : [say(`${indent}${symbols.stopped} ${name}: ${why}`, "warn")];
  const lines = [say(`${indent}${symbols.failed} ${name}${why === "" ? "" : `: ${why}`}`, "bad")];
  return where === "" ? lines : [...lines, say(`${indent}   ${where}`)];
}

/** What a resume will go on with: one is at work in each worktree at a time, so that there are few. */
function openLines({ inputResults }: Ended, { symbols }: TableContext, indent: string): Line[] {
  const open = inputResults.flatMap(({ status, input, branch, path }) =>
    branch === null || path === null || status === "failed" || status === "completed"
      ? []
      : [{ name: nameOf(input, symbols), path }],
  );
  if (open.length === 0) return [];
  return [
    say(`${indent}Kept for a resume (folder and branch have one name):`),
    ...open.map(({ name, path }) => say(`${indent}  ${name}: ${inline(path, 4000)}`)),
  ];
}

function nameOf({ index, file, arg }: InputResult["input"], symbols: Symbols): string {
  return `${index} ${inline(file ?? arg, NAME_MOST, symbols.ellipsis)}`;
}

/** Where there is nothing to compare. */
function failedList(event: Ended, { symbols }: TableContext, indent: string): Line[] {
  const { failedInputs } = event;
  if (failedInputs.length === 0) return [];
  return [
    say(`${indent}${symbols.failed} ${failedInputWords(event)} failed:`, "bad"),
    ...failedInputs.map(({ input, message }) => {
      const name = inline(input.file ?? input.arg, 100, symbols.ellipsis);
      const text = `${input.index}/${input.total} ${name}: ${inline(message, 160, symbols.ellipsis)}`;
      return say(`${indent}  ${symbols.bullet} ${text}`, "bad");
    }),
  ];
}
