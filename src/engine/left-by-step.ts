/** What a step has left: files, outputs, specs and commits, told and kept in its record (spec 3.3, 5). */
import type { PlannedStep } from "../playbook/plan-model.ts";
import { textOf } from "../values/value.ts";
import type { Frame } from "./context.ts";
import type { StepPlace } from "./events.ts";
import { failure } from "./failure.ts";
import type { Failure } from "./outcome.ts";
import { specsIn, takeOutputs } from "./outputs.ts";
import type { FileChange, TreePoint } from "./ports.ts";
import type { StepRecord } from "./scope.ts";

interface StepAtWork {
  readonly frame: Frame;
  readonly record: StepRecord;
  /** The tree as the step (not the attempt) began. */
  readonly start: TreePoint;
  readonly at: StepPlace;
}

const VALUE_UNITS = 2_000;

/** Start of the step against now. */
export async function changedFiles({
  frame,
  record,
  start,
}: Pick<StepAtWork, "frame" | "record" | "start">): Promise<readonly FileChange[]> {
  const { look, run } = frame;
  const clean = look.head === start.head && look.changes.length === 0 && start.tree === null;
  const files = clean ? [] : await run.ports.tree.filesSince(start, look);
  record.filesChanged = files.map(({ path }) => path);
  record.filesAdded = files.filter(({ status }) => status === "added").map(({ path }) => path);
  record.changed = files.length > 0 || look.head !== start.head;
  return files;
}

/** Outputs and specs of the step; `lenient`: see {@link takeOutputs}. */
export async function takeDeclared(
  {
    frame,
    planned,
    record,
    at,
  }: Pick<StepAtWork, "frame" | "record" | "at"> & { readonly planned: PlannedStep },
  files: readonly FileChange[],
  lenient: boolean,
): Promise<Failure | null> {
  const { store } = frame.run.ports;
  const taken = await takeOutputs(planned.step, record, { files, store, lenient });
  frame.scope.declared(record, planned.step.outputs);
  if (!taken.ok) return failure("output", taken.error);
  for (const { name, value } of taken.value) {
    frame.run.sink.event({
      type: "output-captured",
      at,
      name,
      value: textOf(value).slice(0, VALUE_UNITS),
    });
  }
  const specs = planned.kind === "claude" ? specsIn(files).toReversed() : [];
  for (const path of specs)
    if (!frame.specs.some((known) => known.path === path)) frame.specs.push({ path, used: false });
  return null;
}

/** The commits made anywhere inside the step, the step's own and mmm's; each is told once. */
export async function countCommits({ frame, record, start, at }: StepAtWork): Promise<void> {
  const { look, run } = frame;
  if (look.head === start.head) return;
  const commits = await run.ports.tree.commitsBetween(start.head, look.head);
  for (const commit of commits) {
    if (run.toldCommits.has(commit.sha)) continue;
    run.toldCommits.add(commit.sha);
    run.sink.event({ type: "commit-made", at, commit, by: "step" });
  }
  record.commits = commits;
}
