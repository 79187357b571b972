import type { Range } from "./diagnostic.ts";
import type { SourceText } from "./model.ts";

/**
 * A playbook's YAML as plain nodes with places: aliases resolved (bounded), keys unique text.
 *
 * `size` counts the nodes below and itself, aliases expanded.
 */
export type Tree = ScalarTree | ListTree | MappingTree;

export interface ScalarTree {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** Numbers and booleans as they were written (`1e3`), strings decoded. */
  readonly text: SourceText;
  readonly range: Range;
  readonly size: number;
}

export interface ListTree {
  readonly kind: "list";
  readonly items: readonly Tree[];
  readonly range: Range;
  readonly size: number;
}

export interface MappingTree {
  readonly kind: "mapping";
  readonly entries: Entries;
  readonly range: Range;
  readonly size: number;
}

export interface Entry {
  readonly key: SourceText;
  readonly value: Tree;
}

/** A mapping's entries in the order written. */
export type Entries = ReadonlyMap<string, Entry>;

/** The plain value: what a schema looks at. Mappings become objects without a prototype. */
export function plainValue(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(plainValue);
  return plainObject(tree.entries);
}

function plainObject(entries: Entries): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [key, entry] of entries) object[key] = plainValue(entry.value);
  return object;
}

/** A value in words, for "must be X, not ...". Text is cut after 40 characters. */
export function describe(tree: Tree): string {
  if (tree.kind === "list") return "a list";
  if (tree.kind === "mapping") return "a mapping";
  if (tree.value === null) return "nothing";
  if (typeof tree.value !== "string") return tree.text.value;
  if (tree.value === "") return "an empty text";
  return `the text "${shorten(tree.value)}"`;
}

function shorten(text: string): string {
  const letters = Array.from(text.slice(0, 100));
  return letters.length > 40 ? `${letters.slice(0, 40).join("")}…` : text;
}
