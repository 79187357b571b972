import type { Frame } from "./context.ts";
import type { StepPlace } from "./events.ts";
import type { TreePoint } from "./ports.ts";
import type { Undone } from "./restore-line.ts";
import { warn } from "./warn.ts";

/** Back to where the step (or its item, or its input) began; what is undone stays under a ref (spec 5). `null`: nothing was undone. */
export async function rollBack(
  frame: Frame,
  at: StepPlace,
  point: TreePoint,
): Promise<Undone | null> {
  const { options, ports, sink } = frame.run;
  if (!options.rollback || options.commit === "off") return null;
  const { head, branch } = frame.look;
  const stands = head === point.head && branch === point.branch;
  if (stands && (await ports.tree.sameTree(point, frame.look))) return null;
  const undone = await ports.tree.filesSince(point, frame.look);
  const kept = await ports.tree.keepFailed();
  await ports.tree.rollback(point);
  frame.look = await ports.tree.look();
  sink.event({ type: "rolled-back", at, head: frame.look.head, kept });
  tellLeft(frame);
  return {
    kept,
    start: point.tree ?? point.head,
    paths: undone.map(({ path }) => path),
    git: frame.run.facts.git,
    input: frame.input?.index ?? null,
  };
}

/**
 * Nothing is undone, for a look at it; but commits that the step took from the branch are nowhere else, and
 * somebody has paid for them.
 */
export async function keepTaken(frame: Frame, at: StepPlace, point: TreePoint): Promise<void> {
  const { ports } = frame.run;
  const { head } = frame.look;
  if (point.head === "" || head === point.head) return;
  const taken = head === "" ? 1 : (await ports.tree.commitsBetween(head, point.head)).length;
  if (taken === 0) return;
  const kept = await ports.tree.keepCommit(point.head);
  const message = `step ${at.step} took commits away; HEAD as it was before is kept in ${kept}`;
  warn(frame, message);
}

/** A repository of its own that a step made is nobody's to remove; unsaid, it would stop the next run. */
function tellLeft(frame: Frame): void {
  const { look, start } = frame;
  const before = new Set(start.look.changes.map(({ path }) => path));
  const nested = look.changes.filter(
    ({ kind, path }) => kind === "nested-repository" && !before.has(path),
  );
  if (nested.length === 0) return;
  const names = nested.map(({ path }) => path).join(", ");
  const message = `${names}: a repository of its own was left where the failed step made it; remove it, or add it to .gitignore`;
  warn(frame, message);
}
