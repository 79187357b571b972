/** `mmm sessions show`: the course of a session, streamed from its journal. */
import path from "node:path";
import { TimelineFold } from "../../engine/timeline.ts";
import type { SessionRecord } from "../../engine/session-record.ts";
import type { Spend, TimelineItem } from "../../engine/timeline-model.ts";
import { sessionHead, timelineLines, totalLines } from "../../report/timeline-wording.ts";
import { JournalReader } from "../../session/journal-events.ts";
import type { Invocation } from "../cook-request.ts";
import { findSession, openSessions } from "./place.ts";
import { openPrinter, type Printer, snakeKeys } from "./print.ts";

export async function showCommand(
  { name, json }: { readonly name: string | null; readonly json: boolean },
  invocation: Invocation,
): Promise<number> {
  const record = await findSession(await openSessions(invocation), name);
  if (json) showJson(record, invocation);
  else showText(record, openPrinter(invocation));
  return 0;
}

/** A new fold for a journal of this machine's clock. */
export function openFold(): TimelineFold {
  return new TimelineFold((from, to) => Date.parse(to) - Date.parse(from));
}

/** The items in their order; `fold` and `reader` know the rest when it is through. */
function* itemsOf(
  { status }: SessionRecord,
  reader: JournalReader,
  fold: TimelineFold,
): Generator<TimelineItem> {
  for (const event of reader.events()) yield* fold.add(event);
  yield* fold.end(status !== "running");
}

function journalOf(record: SessionRecord): JournalReader {
  return new JournalReader(path.join(record.directory, "journal.jsonl"));
}

function showText(record: SessionRecord, printer: Printer): void {
  const fold = openFold();
  const reader = journalOf(record);
  let headed = false;
  const head = (): void => {
    if (!headed) printer.lines(sessionHead(record, fold.start));
    headed = true;
  };
  for (const item of itemsOf(record, reader, fold)) {
    head();
    printer.lines(timelineLines(item, printer.columns, fold.start));
  }
  head();
  printer.lines(totalLines(fold.totals(), reader.damaged));
}

/** One object, written in pieces: the timeline may be longer than memory. */
function showJson(record: SessionRecord, { stdout }: Invocation): void {
  const fold = openFold();
  const reader = journalOf(record);
  stdout.write(`{"session":${JSON.stringify(snakeKeys(record))},\n"timeline":[`);
  let separator = "\n";
  for (const item of itemsOf(record, reader, fold)) {
    stdout.write(`${separator}${JSON.stringify(snakeKeys(withCosts(item)))}`);
    separator = ",\n";
  }
  const { models, ...totals } = fold.totals();
  const rest = {
    start: fold.start,
    totals: { ...totals, ...told(totals) },
    models: models.map((model) => ({ ...model, ...told(model) })),
    damagedLines: reader.damaged,
  };
  stdout.write(`\n],\n${JSON.stringify(snakeKeys(rest)).slice(1)}\n`);
}

/** `cost_usd` as everywhere: `null` when a part of it is unknown. */
function told({ knownCostUsd, unknownCosts }: Spend): { readonly costUsd: number | null } {
  return { costUsd: unknownCosts > 0 ? null : knownCostUsd };
}

function withCosts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withCosts);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]): [string, unknown] =>
    key === "spend"
      ? [key, { ...(each as Spend), ...told(each as Spend) }]
      : [key, withCosts(each)],
  );
  return Object.fromEntries(entries);
}
