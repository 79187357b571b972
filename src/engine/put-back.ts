import type { Frame } from "./context.ts";
import type { TreePoint } from "./ports.ts";
import { warn } from "./warn.ts";

const SHOWN = 5;

/**
 * A gate looks, it does not work: what it changed in files that git sees is put back, and kept under a ref.
 * Without rollback (spec 5) it stays; then it is not the step's, and the note says so.
 */
export async function putBack(frame: Frame, point: TreePoint, who: string): Promise<void> {
  const { ports, options } = frame.run;
  const look = await ports.tree.look();
  const stands = look.head === point.head && look.branch === point.branch;
  const clean = look.changes.length === 0 && point.tree === null;
  if (stands && (clean || (await ports.tree.sameTree(point, look)))) return;
  const paths = (await ports.tree.filesSince(point, look)).map(({ path }) => path).toSorted();
  const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : "";
  const what = paths.length === 0 ? "history" : `${paths.slice(0, SHOWN).join(", ")}${more}`;
  const told = (message: string): void => warn(frame, `${who} changed ${what}: ${message}`);
  if (!options.rollback || options.commit === "off") {
    told("left as it is; add what a check writes to .gitignore");
    // HEAD is where it is, whoever moved it.
    if (!stands) frame.look = look;
    return;
  }
  const kept = await ports.tree.keepFailed();
  await ports.tree.rollback(point);
  frame.look = await ports.tree.look();
  told(`put back, and kept in ${kept}; add what a check writes to .gitignore`);
}
