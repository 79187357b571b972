import type { ForeachStep, Literal, SourceText } from "../playbook/model.ts";
import type { PlannedForeach, PlannedItems, PlannedLiteral } from "../playbook/plan-model.ts";
import { parseReferenceAt, type Reference } from "../values/reference.ts";
import type { PlanCompiler, PlannedBody, PlanPlace, TextualProblem } from "./plan-kind.ts";

/** What an item is, and what its steps do with it (spec 2.8). */
export function planForeach(
  step: ForeachStep,
  compiler: PlanCompiler,
  place: PlanPlace,
): PlannedBody<PlannedForeach> {
  const items = planItems(step, compiler);
  const steps = compiler.inside(step, place);
  return { body: { kind: "foreach", step, items, steps }, needsCommit: false };
}

function planItems({ items, maxItems }: ForeachStep, compiler: PlanCompiler): PlannedItems {
  switch (items.kind) {
    case "list": {
      const count = items.items.length;
      if (count > maxItems) {
        const { range } = items;
        const source = { value: "", range, segments: [[0, range.start]] } as const;
        const message = `the list has ${count} items, more than \`max_items\` (${maxItems})`;
        const help = `write \`max_items: ${count}\`, or make the list shorter`;
        compiler.report(source, problem("too-many-items", { message, help }, source));
      }
      return { kind: "list", items: items.items.map((item) => planLiteral(item, compiler)) };
    }
    case "shell":
      return { kind: "shell", run: compiler.shell(items.run), timeoutMs: items.timeoutMs };
    default:
      return { kind: "reference", reference: planReference(items.text, compiler) };
  }
}

function planLiteral(literal: Literal, compiler: PlanCompiler): PlannedLiteral {
  switch (literal.kind) {
    case "text":
      return { kind: "text", text: compiler.text(literal.text) };
    case "list":
      return { kind: "list", items: literal.items.map((item) => planLiteral(item, compiler)) };
    case "mapping": {
      const entries = literal.entries.map(
        ([key, value]) => [key, planLiteral(value, compiler)] as const,
      );
      return { kind: "mapping", entries };
    }
    default:
      return literal;
  }
}

/** One reference and nothing else, to something that can be a list. */
function planReference(source: SourceText, compiler: PlanCompiler): Reference | null {
  const text = source.value.trimEnd();
  const start = text.length - text.trimStart().length;
  const reference = parseReferenceAt(text, start);
  if (reference === null || reference.end !== text.length) {
    const message = "`foreach` is a text, and no list";
    const help =
      'write a list, one reference as in "${review.files}", or {shell: "git ls-files"} for a line each';
    compiler.report(source, problem("not-a-list", { message, help }, source));
    return null;
  }
  if (reference.filter !== null || reference.fallback !== null || reference.fault !== null) {
    const message = `${reference.text}: a list takes no filter and no fallback`;
    const help = `write \${${reference.name}}: nothing there is an empty list`;
    compiler.report(source, problem("not-a-list", { message, help }, source));
    return null;
  }
  if (!compiler.reference(source, reference)) return null;
  const type = compiler.typeOf(reference);
  if (type !== null && type !== "list") {
    const message = `${reference.text} is a ${type === "string" ? "text" : type}, and never a list`;
    const isText = type === "text" || type === "string";
    const help = isText
      ? "capture it with `capture: lines` or `json`, or let a command print the items: {shell: ...}"
      : "name an output with `capture: lines` or `json`, or with `all: true`";
    compiler.report(source, problem("not-a-list", { message, help }, source));
    return null;
  }
  return reference;
}

function problem(
  code: string,
  words: { readonly message: string; readonly help: string },
  { value }: Pick<SourceText, "value">,
): TextualProblem {
  return { code, severity: "error", ...words, start: 0, end: value.length };
}
