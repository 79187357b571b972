/** How many places a JSONPath may look at, before it looks (spec 3.3, 11). */

/** Of the path's shape: what it multiplies. */
interface Shape {
  /** Product of the sizes of its unions, `[0,1]`. */
  readonly unions: number;
  readonly wildcards: boolean;
  /** `..` */
  readonly descents: number;
}

/** Takes the library about five seconds and a gigabyte. */
export const MOST_PLACES = 1_000_000;

/** An upper bound, or `Infinity`: each union multiplies, each further `..` begins anew at each level. */
export function placesOf(path: string, value: unknown): number {
  const { unions, wildcards, descents } = shapeOf(path);
  if (!wildcards && descents === 0) return unions;
  const { nodes, depth } = sizeOf(value);
  return unions * nodes * depth ** Math.max(0, descents - 1);
}

function shapeOf(path: string): Shape {
  const shape = { unions: 1, wildcards: false, descents: 0 };
  let quote = "";
  let members = 1;
  for (let at = 0; at < path.length; at += 1) {
    const letter = path.charAt(at);
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === "'" || letter === '"') quote = letter;
    else if (letter === "[") members = 1;
    else if (letter === ",") members += 1;
    else if (letter === "]") shape.unions *= members;
    else if (letter === "*" || letter === ":") shape.wildcards = true;
    else if (letter === "." && path.charAt(at + 1) === ".") shape.descents += 1;
  }
  return shape;
}

/** Without recursion: a text may hold a million brackets. */
function sizeOf(value: unknown): { readonly nodes: number; readonly depth: number } {
  let nodes = 0;
  let depth = 0;
  for (let level = [value]; level.length > 0; depth += 1) {
    nodes += level.length;
    const next: unknown[] = [];
    for (const each of level)
      if (typeof each === "object" && each !== null)
        for (const inner of Object.values(each)) next.push(inner);
    level = next;
  }
  return { nodes, depth };
}
