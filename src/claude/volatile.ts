/** What differs from run to run in a prompt, replaced by names, so that prompts can be compared. Pure. */

/** `mmm-<stem>-<unix seconds>[-n]`; the stem's length is bounded to keep the search linear. */
const SESSION = /\bmmm-[a-z0-9-]{0,100}?-\d{10}(?:-\d{1,4})?\b/g;
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;

/** @param roots absolute paths that all become `{root}`: the tree, the main repository. */
export function hideVolatile(text: string, roots: readonly string[]): string {
  const longestFirst = roots.toSorted((one, other) => other.length - one.length);
  let hidden = text;
  for (const root of longestFirst) {
    const literal = root.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
    // Not the beginning of a longer name beside it.
    hidden = hidden.replaceAll(new RegExp(`${literal}(?![\\w-])`, "g"), "{root}");
  }
  return hidden.replaceAll(SESSION, "{session}").replaceAll(UUID, "{uuid}");
}

/** The way back, for what a recording prints. */
export function showRoot(text: string, root: string): string {
  return text.replaceAll("{root}", () => root);
}

/** Does `text` look like `pattern`, where `*` (or `any`) is any text, also across lines? Linear. */
export function matchesPattern(pattern: string, text: string, any = "*"): boolean {
  const [first = "", ...rest] = pattern.split(any);
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
