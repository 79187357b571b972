import { PREFIXES } from "./lint-program.ts";
import { HOLE, type Site, type Word } from "./scan-model.ts";

/** A reference in a place where it does harm. */
export interface Finding {
  readonly site: Site;
  readonly code: string;
  /** Follows the reference in the message. */
  readonly why: string;
  readonly warning?: boolean;
  /** The text is shell text, which `|quote` is made for: the whole of it, and the references in its holes. */
  readonly inner?: { readonly text: string; readonly sites: readonly Site[] };
}

/** The program that a word names, without its folder. */
export function nameOf(word: Word | undefined): string {
  const literal = word?.literal ?? "";
  return literal.slice(literal.lastIndexOf("/") + 1);
}

export function isOption(word: Word | undefined): boolean {
  return word !== undefined && word.literal.length > 1 && /^[-+]/.test(word.literal);
}

/** Index of the word that names the program which really runs, past env, sudo, xargs and the like. */
export function commandIndex(words: readonly Word[]): number {
  let index = 0;
  for (;;) {
    const prefix = PREFIXES.get(nameOf(words[index]));
    if (prefix === undefined) return index;
    const takes = prefix.takes.split(" ");
    index += 1;
    while (isOption(words[index]) || /^\w+=/.test(words[index]?.literal ?? "")) {
      const { literal } = words[index] as Word; // isOption saw it, or the pattern did
      index += literal.length === 2 && takes.includes(literal.slice(1)) ? 2 : 1;
      if (literal === "--") break;
    }
    index += prefix.operands;
  }
}

/** The operands after `from`, with options and the arguments of `takes` left out. */
export function operands(words: readonly Word[], from: number, takes: readonly string[]): Word[] {
  const found: Word[] = [];
  for (let at = from; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    if (word.literal === "--") return [...found, ...words.slice(at + 1)];
    if (!isOption(word)) found.push(word);
    else if (takes.includes(word.literal)) at += 1;
  }
  return found;
}

/** Findings of one code for each reference of the words. */
export function* each(
  words: readonly (Word | undefined)[],
  code: string,
  why: string,
): Generator<Finding> {
  for (const word of words) for (const site of word?.sites ?? []) yield { site, code, why };
}

/** The same for shell text, where `|quote` may be used. */
export function* shellText(words: readonly Word[], code: string, why: string): Generator<Finding> {
  const sites = words.flatMap((word) => word.sites);
  if (sites.length === 0) return;
  const text = words.map((word) => word.literal).join(" ");
  const inner = text.split(HOLE).length - 1 === sites.length ? { text, sites } : null;
  for (const site of sites) yield inner === null ? { site, code, why } : { site, code, why, inner };
}
