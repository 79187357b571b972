import { distance } from "fastest-levenshtein";

/** Words longer than this are never compared: the cost grows with the square. */
const MAX_LENGTH = 64;

/**
 * The candidate most like `word`, for "did you mean".
 *
 * `null`: none is within two letters, or a third of the word's length for longer ones. Case and the
 * choice of `-` or `_` count as nothing. Of equals the first wins.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > MAX_LENGTH) return null;
  const wanted = fold(word);
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate === word || candidate.length > MAX_LENGTH) continue;
    const d = distance(wanted, fold(candidate));
    // A word that would have to change in every letter is no suggestion (`xy` for `id`).
    if (d < bestDistance && d < Math.max(wanted.length, candidate.length)) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}
