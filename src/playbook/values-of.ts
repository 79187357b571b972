/** Values out of entries that have passed their schema: no checks are left to make here. */
import { parseDuration } from "../lib/duration.ts";
import type { AnalysisOptions, SourceText } from "./model.ts";
import { plainValue, type Entries, type Tree } from "./tree.ts";

/** A saved context younger than this is used as it is (spec 2.7). */
const MAX_CACHE_AGE_MS = 300_000;

export function requiredText(entries: Entries, key: string): SourceText {
  const text = optionalText(entries, key);
  if (text === null) throw new Error(`\`${key}\` passed its schema and is no text`);
  return text;
}

export function optionalText(entries: Entries, key: string): SourceText | null {
  const tree = entries.get(key)?.value;
  return tree?.kind === "scalar" && tree.value !== null ? tree.text : null;
}

export function textOf(entries: Entries, key: string): string | null {
  return optionalText(entries, key)?.value ?? null;
}

export function numberOf(entries: Entries, key: string): number | null {
  const tree = entries.get(key)?.value;
  return tree?.kind === "scalar" && typeof tree.value === "number" ? tree.value : null;
}

/** `null`: not written. */
export function boolOf(entries: Entries, key: string): boolean | null {
  const tree = entries.get(key)?.value;
  return tree?.kind === "scalar" && typeof tree.value === "boolean" ? tree.value : null;
}

/** In milliseconds; `null`: not written. */
export function durationOf(entries: Entries, key: string): number | null {
  const tree = entries.get(key)?.value;
  if (tree === undefined) return null;
  const value = plainValue(tree);
  return typeof value === "string" || typeof value === "number" ? parseDuration(value) : null;
}

/** A list, or one text as a list of one; `null`: not written. */
export function listOfTexts(entries: Entries, key: string): readonly SourceText[] | null {
  const tree = entries.get(key)?.value;
  if (tree === undefined || tree.kind === "mapping") return null;
  if (tree.kind === "scalar") return [tree.text];
  return tree.items.flatMap((item) => (item.kind === "scalar" ? [item.text] : []));
}

/** The entries of a mapping; none for anything else. */
export function entriesOf(tree: Tree | undefined): Entries {
  return tree?.kind === "mapping" ? tree.entries : new Map();
}

export function readEnv(
  tree: Tree | undefined,
): readonly { readonly name: string; readonly value: SourceText }[] {
  return [...entriesOf(tree)].flatMap(([name, { value }]) =>
    value.kind === "scalar" ? [{ name, value: value.text }] : [],
  );
}

/** `analyze:` and `analysis:` with what is not written filled in. */
export function readAnalysis(tree: Tree | undefined): AnalysisOptions {
  const entries = entriesOf(tree);
  return {
    maxCacheAgeMs: durationOf(entries, "max_cache_age") ?? MAX_CACHE_AGE_MS,
    forceRefresh: boolOf(entries, "force_refresh") ?? false,
    save: boolOf(entries, "save") ?? true,
    format: textOf(entries, "format") === "json" ? "json" : "summary",
  };
}
