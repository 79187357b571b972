/** What a step produced or a user gave: JSON, nothing else. */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | { readonly [key: string]: Value };

/** True for the list form of a value; `Array.isArray` alone does not narrow readonly arrays. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** The one text form of a value (3.1): null is nothing, a list is its items joined by one space, objects are JSON. */
export function textOf(value: Value): string {
  return isList(value) ? value.map(itemText).join(" ") : itemText(value);
}

/** Text of one item of a list; a list inside a list is JSON, so that its borders stay visible. */
export function itemText(value: Value): string {
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
