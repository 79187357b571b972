/** How a `foreach` step runs: its list, then its steps once for each item (spec 2.8). */
import { headTrouble } from "../engine/commit.ts";
import { type Frame, markTree } from "../engine/context.ts";
import type { LimitReached } from "../engine/budget.ts";
import { cancelled, failure } from "../engine/failure.ts";
import type { Executed, InsideResult, KindHooks, KindRequest, Prepared } from "../engine/kind.ts";
import type { Failure, ItemConclusion } from "../engine/outcome.ts";
import type { ShellReport } from "../engine/ports.ts";
import type { LoopState } from "../engine/scope.ts";
import { rollBack } from "../engine/undo.ts";
import type { PlannedForeach } from "../playbook/plan-model.ts";
import { forItem } from "../playbook/plan-steps.ts";
import { textOf, type Value } from "../values/value.ts";
import { type Items, prepareItems } from "./run-items.ts";

type Request = KindRequest<PlannedForeach>;

const SHOWN_UNITS = 200;
/** Of the items that failed, in the loop's own message. */
const SHOWN_ITEMS = 5;

export async function prepareForeach(request: Request): Promise<Prepared> {
  const prepared = await prepareItems(request);
  if (!prepared.ok) {
    return { kind: "refused", rendered: request.planned.step.label, failure: prepared.error };
  }
  const { rendered, log, warnings, list } = prepared.value;
  return {
    kind: "ready",
    rendered,
    log,
    warnings,
    execute: (hooks, signal) => execute(request, list, { hooks, signal }),
  };
}

async function execute(
  request: Request,
  list: (hooks: KindHooks, signal: AbortSignal) => Promise<Items>,
  { hooks, signal }: { readonly hooks: KindHooks; readonly signal: AbortSignal },
): Promise<Executed> {
  const { frame, record, planned, at } = request;
  const { clock } = frame.run.ports;
  const start = clock.monotonicMs();
  const ended = (end: Omit<Ended, "durationMs">): Executed =>
    executed({ ...end, durationMs: clock.monotonicMs() - start });
  if (record.loop === null) {
    const made = await list(hooks, signal);
    if (made.kind === "failed") return ended({ ...made, suspended: null });
    const failed = tooMany(made.items, planned);
    if (failed !== null) return ended({ failure: failed, suspended: null, report: null });
    record.loop = { items: made.items, foreign: made.foreign, done: new Set() };
  }
  const total = record.loop.items.length;
  const done = record.loop.done.size;
  frame.run.sink.event({ type: "items-listed", at, total, done });
  return ended({ ...(await eachItem(request, record.loop, signal)), report: null });
}

function tooMany(
  { length }: readonly Value[],
  { step: { maxItems } }: PlannedForeach,
): Failure | null {
  if (length <= maxItems) return null;
  const message = `the list has ${length} items, more than max_items (${maxItems})`;
  return failure("value", message, null, [
    `make the list shorter, or write \`max_items: ${length}\` at this step`,
  ]);
}

interface LoopEnd {
  readonly failure: Failure | null;
  readonly suspended: LimitReached | null;
}

type FailedInside = Extract<InsideResult, { kind: "failed" }>;

async function eachItem(
  request: Request,
  { items, foreign, done }: LoopState,
  signal: AbortSignal,
): Promise<LoopEnd> {
  const { frame, planned } = request;
  const total = items.length;
  const failed: { readonly item: string; readonly failure: Failure }[] = [];
  for (const [before, value] of items.entries()) {
    const index = before + 1;
    if (done.has(index)) continue;
    if (signal.aborted) return { failure: cancelled(""), suspended: null };
    const finish = begin(request, { value, index, total });
    const point = await markTree(frame.run, frame.look);
    const around = frame.item;
    frame.item = { look: frame.look, point };
    const leave = frame.scope.enterItem({ item: value, index, total, foreign });
    const result = await request.runInside(forItem(planned, index));
    leave();
    frame.item = around;
    if (result.kind === "suspended") return { failure: null, suspended: result.limit };
    if (result.kind !== "failed") {
      done.add(index);
      finish(result.kind === "done" ? "succeeded" : "nothing-to-do", null);
      continue;
    }
    const why = failureOf(result);
    const item = shown(frame, value);
    const name = `item ${index}/${total} (${item})`;
    if (!planned.step.continueOnError || !(await mayGoOn(frame, result, point))) {
      finish("failed", why.message);
      return { failure: { ...why, message: `${name} failed: ${why.message}` }, suspended: null };
    }
    // What a failed item has done is not what the next one builds on.
    const undone = await rollBack(frame, result.at, point);
    if (undone !== null) frame.run.tellUndone(undone);
    finish("tolerated", why.message);
    failed.push({ item, failure: why });
  }
  return { failure: inAll(failed, total), suspended: null };
}

function begin(
  { frame, at }: Request,
  {
    value,
    index,
    total,
  }: { readonly value: Value; readonly index: number; readonly total: number },
): (conclusion: ItemConclusion, failure: string | null) => void {
  const { sink, ports } = frame.run;
  const item = shown(frame, value);
  const start = ports.clock.monotonicMs();
  sink.event({ type: "item-started", at, index, total, item });
  return (conclusion, why) => {
    const durationMs = ports.clock.monotonicMs() - start;
    const of = { at, index, total, item, conclusion, durationMs };
    sink.event({ type: "item-finished", ...of, failure: why });
  };
}

/** Masked before it is cut. */
function shown({ run }: Frame, value: Value): string {
  const text = run.secrets.mask(textOf(value));
  return text.length > SHOWN_UNITS ? `${text.slice(0, SHOWN_UNITS - 1)}…` : text;
}

function failureOf({ at, detail }: FailedInside): Failure {
  const { reason, message, exitCode } = detail;
  const told = reason === "cancelled" || reason === "head" ? reason : "item";
  return failure(told, `step ${at.step} (${at.label}): ${message}`, exitCode);
}

/** Neither after a Ctrl-C, nor when HEAD has moved backwards or to another branch (spec 5). */
async function mayGoOn(
  frame: Frame,
  { detail }: FailedInside,
  start: Awaited<ReturnType<typeof markTree>>,
): Promise<boolean> {
  if (detail.reason === "cancelled" || frame.run.signal.aborted) return false;
  return (await headTrouble(frame, start)) === null;
}

function inAll(
  failed: readonly { readonly item: string; readonly failure: Failure }[],
  total: number,
): Failure | null {
  const [first] = failed;
  if (first === undefined) return null;
  const names = failed.slice(0, SHOWN_ITEMS).map(({ item }) => item);
  const more = failed.length - names.length;
  const rest = more > 0 ? ` and ${more} more` : "";
  const items = total === 1 ? "item" : "items";
  const message = `${failed.length} of ${total} ${items} failed: ${names.join(", ")}${rest}`;
  return failure("item", message, first.failure.exitCode);
}

interface Ended extends LoopEnd {
  /** Of a command that made no list. */
  readonly report: ShellReport | null;
  readonly durationMs: number;
}

function executed({ report, ...end }: Ended): Executed {
  return {
    ...end,
    end: report?.end ?? null,
    cut: null,
    tail: report?.tail ?? "",
    outputFile: null,
    stdoutFile: null,
    stderrFile: null,
    usage: null,
    turns: null,
    model: null,
    warnings: [],
  };
}
