/** Workspace patterns against folders, in time that no pattern can blow up: they come from a repository. */

/** More than this is no list that a person keeps. */
const most = 200;

/**
 * Does a folder match? `*` and `?` stay within a folder's name, `**` is any number of folders, `!` in front takes
 * out again; whatever else stands in a pattern stands for itself. At most 200 patterns of 300 characters count.
 */
export function folderMatcher(patterns: readonly string[]): (folder: string) => boolean {
  const tidy = patterns
    .filter((pattern) => pattern.length <= 300)
    .slice(0, most)
    .map((pattern) => ({ out: pattern.startsWith("!"), parts: partsOf(pattern) }));
  return (folder) => {
    const names = folder.split("/");
    const hits = tidy.filter(({ parts }) => parts.length > 0 && matchesParts(parts, names));
    return hits.length > 0 && hits.every(({ out }) => !out);
  };
}

function partsOf(pattern: string): readonly string[] {
  return pattern
    .replace(/^!/u, "")
    .split("/")
    .filter((part) => part !== "" && part !== ".");
}

/** A table over parts and names, so `**` costs no more than their product. */
function matchesParts(parts: readonly string[], names: readonly string[]): boolean {
  let row = [true, ...names.map(() => false)];
  for (const part of parts) {
    const next = part === "**" ? [row[0] ?? false] : [false];
    names.forEach((name, index) => {
      next.push(
        part === "**"
          ? (next[index] ?? false) || (row[index + 1] ?? false)
          : (row[index] ?? false) && matchesName(part, name),
      );
    });
    row = next;
  }
  return row.at(-1) ?? false;
}

/** Two pointers with one way back: at most pattern times name. */
function matchesName(pattern: string, name: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let resume = 0;
  while (from < name.length) {
    const wanted = pattern[at];
    if (wanted === "*") {
      star = at;
      at += 1;
      resume = from;
    } else if (wanted === "?" || wanted === name[from]) {
      at += 1;
      from += 1;
    } else if (star === -1) {
      return false;
    } else {
      at = star + 1;
      resume += 1;
      from = resume;
    }
  }
  return /^\**$/u.test(pattern.slice(at));
}
