/** Values in a slash command that the CLI would take for code (spec 3.2). */
import type { Reference } from "../values/reference.ts";
import type { StorePort } from "./ports.ts";

/** A stretch of a prompt. */
export interface Piece {
  text: string;
  /** `null`: the author's own words. */
  readonly from: Reference | null;
}

/**
 * CLI 2.1.112 and older run `!`-backtick text in a slash command's arguments as a shell command and
 * damage `$&` (observed). Every value that takes part in such a pair goes by file, also when its
 * other half is the next value or the author's text.
 */
export async function defuse(
  pieces: readonly Piece[],
  context: { readonly store: StorePort; readonly unit: string },
): Promise<void> {
  for (let round = 0; round <= pieces.length; round += 1) {
    const guilty = guiltyPiece(pieces);
    if (guilty === null || guilty.from === null) return;
    guilty.text = await context.store.writeOutput(
      `${context.unit}.${guilty.from.name}`,
      guilty.text,
    );
  }
}

/** Pairs, and those that overlap too: of "`!`" both are seen, whoever wrote which of them. */
const DANGEROUS = /(?=!`|`!|\$[&`'$])/g;
const PAIR = 2;

function guiltyPiece(pieces: readonly Piece[]): Piece | null {
  const whole = pieces.map(({ text }) => text).join("");
  const spans: { readonly start: number; readonly end: number; readonly piece: Piece }[] = [];
  let start = 0;
  for (const piece of pieces) {
    spans.push({ start, end: start + piece.text.length, piece });
    start += piece.text.length;
  }
  let at = 0;
  for (const match of whole.matchAll(DANGEROUS)) {
    while ((spans[at]?.end ?? Infinity) <= match.index) at += 1;
    for (let near = at; (spans[near]?.start ?? Infinity) < match.index + PAIR; near += 1) {
      const piece = spans[near]?.piece;
      if (piece !== undefined && piece.from !== null) return piece;
    }
  }
  return null;
}
