/**
 * Why a text cannot be a JSONPath, or `null`. Looks at its shape only; script and filter
 * expressions are refused, because a path must never run code (spec 3.3).
 */
export function pathTrouble(path: string): string | null {
  if (!path.startsWith("$")) return "it does not start with `$`";
  if (path.length > 1000) return "it is longer than 1000 characters";
  let depth = 0;
  let quote = "";
  for (let index = 0; index < path.length; index += 1) {
    const letter = path.charAt(index);
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === "'" || letter === '"') quote = letter;
    else if (letter === "[") depth += 1;
    else if (letter === "]") depth -= 1;
    else if (letter === "(" || letter === "?" || letter === "@") {
      return `expressions such as \`${path.slice(index, index + 10)}\` are not supported`;
    } else if (letter === "^") return "`^` is not supported: a path goes down";
    else if (/\s/.test(letter)) return "it holds white space outside quotes";
    if (depth < 0) return "a `]` closes nothing";
  }
  if (quote !== "") return "a quote is not closed";
  if (depth > 0) return "a `[` is not closed";
  if (/^\$[^.[]/.test(path)) return "after `$` comes `.` or `[`";
  return path.endsWith(".") ? "it ends in a `.`" : null;
}
