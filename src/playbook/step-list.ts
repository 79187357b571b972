import type { Step } from "./model.ts";
import type { Reading, StepPlace } from "./reading.ts";
import { describe, type Tree } from "./tree.ts";

/** Steps inside of a step: a list of them, or one alone. None at all is a problem. */
export function readList(
  tree: Tree,
  { key, within }: { readonly key: string; readonly within: StepPlace },
  reading: Reading,
): readonly Step[] {
  const isText = tree.kind === "scalar" && typeof tree.value === "string";
  if (tree.kind === "scalar" && !isText) {
    const message = `\`${key}\` must be a step or a list of steps, not ${describe(tree)}`;
    const help = "write the steps under it, indented";
    reading.problems.error("wrong-type", tree.range, message, tree.value === null ? { help } : {});
    return [];
  }
  if (tree.kind === "list" && tree.items.length === 0) {
    const message = `\`${key}\` has no steps`;
    reading.problems.error("no-steps", tree.range, message, { help: "write one, or remove it" });
  }
  return (tree.kind === "list" ? tree.items : [tree]).flatMap((item) => {
    const step = reading.readStep(item, within);
    return step === null ? [] : [step];
  });
}
