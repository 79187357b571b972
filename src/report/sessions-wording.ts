/** `mmm sessions`: the list, as a table where it fits and in blocks where it does not. */
import stringWidth from "string-width";
import type { SessionRecord } from "../engine/session-record.ts";
import type { Spend } from "../engine/timeline-model.ts";
import { formatCount, formatDuration, formatMoney, formatNumber } from "./format.ts";
import { type Line, say, type Tone } from "./line.ts";
import { cutToWidth, inline } from "./safe-text.ts";

const HEADINGS = [
  "NAME",
  "STATUS",
  "STOPPED BY",
  "PLAYBOOK",
  "ITERATIONS",
  "STEPS",
  "COMMITS",
  "COST",
  "STARTED",
  "TIME",
] as const;
/** Of the columns above: numbers stand at their right edge. */
const RIGHT: ReadonlySet<number> = new Set([4, 5, 6, 7, 9]);
const PLAYBOOK = HEADINGS.indexOf("PLAYBOOK");
/** Less of a path names nothing. */
const LEAST_PLAYBOOK = 12;
const GAP = "  ";
/** What nobody has told. */
const NONE = "-";

/** @param columns of the terminal; `null`: a pipe, where nothing is cut */
export function sessionLines(
  records: readonly SessionRecord[],
  columns: number | null,
): readonly Line[] {
  if (records.length === 0) return [];
  const rows = records.map(cells);
  const widths = HEADINGS.map((heading, column) =>
    rows.reduce((most, row) => Math.max(most, stringWidth(row[column] ?? "")), heading.length),
  );
  const whole = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
  const over = columns === null ? 0 : Math.max(0, whole - columns);
  const playbook = widths[PLAYBOOK] ?? 0;
  if (over > 0 && playbook - over < LEAST_PLAYBOOK)
    return records.flatMap((record) => block(record, columns ?? whole));
  widths[PLAYBOOK] = playbook - over;
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => padded(cell, widths[column] ?? 0, RIGHT.has(column))).join(GAP);
  return [
    say(line(HEADINGS).trimEnd(), "dim"),
    ...rows.map((row, index) => say(line(row).trimEnd(), toneOf(records[index]))),
  ];
}

/** `interrupted`, `killed (resumable)`. */
export function statusWords({ status }: SessionRecord): string {
  switch (status) {
    case "killed":
      return "killed (resumable)";
    case "newer":
      return "of a newer mmm";
    default:
      return status;
  }
}

/** `nothing to do`; `null`: it runs, or nobody has said. */
export function stopWords({ stopReason }: SessionRecord): string | null {
  return stopReason === null ? null : inline(stopReason, 40).replaceAll("-", " ");
}

/** What is unknown is never 0 (spec 6.4); `null`: nothing was spent. */
export function spendWords(spend: Pick<Spend, "knownCostUsd" | "unknownCosts">): string | null {
  const { knownCostUsd: known, unknownCosts: unknown } = spend;
  if (unknown === 0) return known === 0 ? null : formatMoney(known);
  return known === 0 ? "unknown" : `≥ ${formatMoney(known)}`;
}

/** `2026-11-21 14:03`, where the reader is; `-` when it is not known. */
export function timeWords(iso: string | null): string {
  const date = new Date(iso ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return NONE;
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `1.5 MB`; powers of 1000, as disks are sold. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  if (unit === 0) return formatCount(bytes, "byte");
  return `${value < 10 ? value.toFixed(1) : Math.floor(value)} ${units[unit] ?? ""}`;
}

function cells(record: SessionRecord): readonly string[] {
  const number = (value: number | null): string => (value === null ? NONE : formatNumber(value));
  return [
    inline(record.name, 200),
    statusWords(record),
    stopWords(record) ?? NONE,
    record.playbook === null ? NONE : inline(record.playbook, 200),
    number(record.iterations),
    number(record.steps),
    number(record.commits),
    costCell(record),
    timeWords(record.startedAt),
    record.durationMs === null ? NONE : formatDuration(record.durationMs),
  ];
}

function costCell({ costUsd, knownCostUsd, iterations }: SessionRecord): string {
  if (costUsd !== null) return formatMoney(costUsd);
  if (knownCostUsd !== null && knownCostUsd > 0) return `≥ ${formatMoney(knownCostUsd)}`;
  // Running, killed or damaged: only the journal knows.
  return iterations === null ? NONE : "unknown";
}

function block(record: SessionRecord, columns: number): readonly Line[] {
  const [name = "", status = "", stop = "", playbook = "", ...rest] = cells(record);
  const [, , , , started = "", time = ""] = rest;
  const counts = [
    count(record.iterations, "iteration"),
    count(record.steps, "step"),
    count(record.commits, "commit"),
    costCell(record) === "unknown" ? "cost unknown" : costCell(record),
  ].filter((words) => words !== NONE);
  const lines = [
    stop === NONE ? status : `${status}: ${stop}`,
    counts.join(", "),
    [started, time, playbook].filter((words) => words !== NONE).join(", "),
  ].filter((text) => text !== "");
  // The name is what one types: it is never cut.
  return [
    say(name, toneOf(record)),
    ...lines.map((text) => say(`  ${cutToWidth(text, Math.max(columns - 2, 20))}`)),
  ];
}

function count(value: number | null, singular: string): string {
  return value === null ? NONE : formatCount(value, singular);
}

function padded(cell: string, width: number, right: boolean): string {
  const text = cutToWidth(cell, width);
  const space = " ".repeat(Math.max(0, width - stringWidth(text)));
  return right ? space + text : text + space;
}

function toneOf(record: SessionRecord | undefined): Tone {
  switch (record?.status) {
    case "running":
      return "strong";
    case "failed":
      return "bad";
    case "interrupted":
    case "suspended":
    case "killed":
    case "damaged":
    case "newer":
      return "warn";
    default:
      return "plain";
  }
}
