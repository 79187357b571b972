/** `item`, `index` and `total`, known before anything runs (spec 2.8). */
import { isLoopName } from "../values/names.ts";
import type { Reference } from "../values/reference.ts";
import type { Literal } from "./model.ts";
import { type NameProblem, unknownField } from "./name-problems.ts";

/** The items as they are written; `null`: made when it runs. */
type KnownItems = readonly Literal[] | null;

/** The loops around the step at hand. */
export class LoopScope {
  readonly #items: KnownItems[] = [];

  enter(items: KnownItems): void {
    this.#items.push(items);
  }

  leave(): void {
    this.#items.pop();
  }

  /** Is it the loop's name here? */
  knows(name: string): boolean {
    return this.#items.length > 0 && isLoopName(name);
  }

  /** @param isOutput a step declares an output of that name too */
  check(reference: Reference, isOutput: boolean): NameProblem | null {
    const [name, field] = reference.path;
    const items = this.#items.at(-1);
    if (items === undefined) {
      return {
        code: "item-outside-foreach",
        message: `${reference.text} has a value only in the steps of a \`foreach\``,
      };
    }
    if (isOutput) {
      return {
        code: "ambiguous-output",
        message: `${reference.text}: in a \`foreach\` this is the loop's, and a step declares an output called ${String(name)}`,
        help: `write \${ID.${String(name)}} for the output, or call it something else`,
      };
    }
    if (items === null || items.length === 0 || field === undefined) return null;
    return fieldProblem(reference, field, items);
  }
}

function fieldProblem(
  reference: Reference,
  field: string | number,
  items: readonly Literal[],
): NameProblem | null {
  const has = items.some(
    (item) =>
      (item.kind === "list" && typeof field === "number") ||
      (item.kind === "mapping" && item.entries.some(([key]) => key === String(field))),
  );
  if (has) return null;
  const fields = [
    ...new Set(
      items.flatMap((item) => (item.kind === "mapping" ? item.entries.map(([key]) => key) : [])),
    ),
  ];
  if (fields.length > 0)
    return {
      ...unknownField(reference, { owner: "item", field: String(field), fields }),
      message: `${reference.text}: no item of this loop has a field ${field}`,
    };
  return {
    code: "unknown-field",
    message: `${reference.text}: the items of this loop have no fields`,
    help: "write ${item}",
  };
}
