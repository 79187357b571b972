import { isList, type Value } from "../value.ts";
import { ConditionTooCostly } from "./budget.ts";

/** Deeper JSON would overflow the stack of what writes it. */
const MAX_DEPTH = 500;

/** At most how many characters the indented JSON of a value has; known before it is made. */
export function prettyLength(value: Value): number {
  let length = 0;
  const todo: { readonly value: Value; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { depth, value: here } = next;
    if (depth > MAX_DEPTH) throw new ConditionTooCostly("toJSON was given more than 500 levels");
    // Line end, comma and indentation; a character may take six, as in \u0000.
    length += 4 + depth * 2;
    if (typeof here === "string") length += here.length * 6 + 2;
    else if (typeof here !== "object" || here === null) length += 25;
    else if (isList(here)) for (const item of here) todo.push({ value: item, depth: depth + 1 });
    else
      for (const [key, item] of Object.entries(here)) {
        length += key.length * 6 + 4;
        todo.push({ value: item, depth: depth + 1 });
      }
  }
  return length;
}
