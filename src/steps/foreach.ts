import * as z from "zod";
import type { ItemSource, Literal } from "../playbook/model.ts";
import type { Entries, Tree } from "../playbook/tree.ts";
import { durationOf, numberOf, requiredText } from "../playbook/values-of.ts";
import type { StepKind } from "./kind.ts";
import { stepOptions } from "./options.ts";
import * as is from "./schema.ts";
import { later, once, only, together } from "./shape.ts";

/** Items of one loop when the playbook says nothing: more are an accident more often than a wish. */
const MAX_ITEMS = 1000;
const MOST_ITEMS = 100_000;

const FORMS = 'a list, a reference as in "${review.files}", or {shell: "git ls-files"}';

const command = once(() =>
  z.strictObject({ shell: is.text, timeout: is.duration({ zero: false }).optional() }),
);

/** What a loop itself takes of the common options; the others are for the steps in it. */
const OWN: readonly (keyof typeof stepOptions)[] = [
  "id",
  "name",
  "condition",
  "env",
  "on_failure",
  "on_success",
  "on_exit_code",
  "continue_on_error",
  "commit_required",
  "commit_message",
  "auto_commit",
  "validation",
];

/** `foreach: ..., do: [steps]`: the steps once for each item (spec 2.8). */
export const foreachKind: StepKind = {
  key: "foreach",
  weak: false,
  inside: "do",
  shape: together(
    together(
      later({
        foreach: () => z.union([is.text, z.array(z.unknown()), command()], { error: FORMS }),
      }),
      { do: z.nonoptional(is.form("steps"), { error: "a step or a list of steps" }) },
    ),
    together(
      later({ max_items: () => is.wholeNumber(1, MOST_ITEMS).optional() }),
      only(stepOptions, (key) => OWN.some((own) => own === key)),
    ),
  ),
  read: (entries, steps) => ({
    kind: "foreach",
    items: sourceOf(entries),
    maxItems: numberOf(entries, "max_items") ?? MAX_ITEMS,
    steps,
  }),
  label: (entries) => `foreach ${labelOf(sourceOf(entries))}`,
};

function sourceOf(entries: Entries): ItemSource {
  const tree = entries.get("foreach")?.value;
  if (tree?.kind === "list")
    return { kind: "list", items: tree.items.map(literalOf), range: tree.range };
  if (tree?.kind === "mapping") {
    const run = requiredText(tree.entries, "shell");
    const timeoutMs = durationOf(tree.entries, "timeout");
    return { kind: "shell", run, timeoutMs, range: tree.range };
  }
  const text = requiredText(entries, "foreach");
  return { kind: "reference", text, range: text.range };
}

function literalOf(tree: Tree): Literal {
  if (tree.kind === "list") return { kind: "list", items: tree.items.map(literalOf) };
  if (tree.kind === "mapping") {
    const entries = [...tree.entries].map(([key, { value }]) => [key, literalOf(value)] as const);
    return { kind: "mapping", entries };
  }
  if (typeof tree.value === "string") return { kind: "text", text: tree.text };
  return { kind: "value", value: tree.value };
}

function labelOf(source: ItemSource): string {
  switch (source.kind) {
    case "list":
      return source.items.map(wordOf).join(", ");
    case "shell":
      return `line of ${source.run.value}`;
    default:
      return source.text.value;
  }
}

function wordOf(literal: Literal): string {
  if (literal.kind === "text") return literal.text.value;
  return literal.kind === "value" ? String(literal.value) : "…";
}
