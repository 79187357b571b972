import { isCapitalName } from "./names.ts";

/** How a value is inserted: as it is, quoted for one more shell, as the path of a file, or not at all when empty. */
type Filter = "raw" | "quote" | "file" | "opt";

/** `${name}`, `${a.b[0].c|filter}`, `${name:-fallback}` or `$ARG` as it stands in a text (3.1). */
export interface Reference {
  /** As written, without filter and fallback: "a.b[0].c", "ARG". */
  readonly name: string;
  readonly path: readonly (string | number)[];
  readonly filter: Filter | null;
  /** Literal text for a missing or empty value; null when none is given. */
  readonly fallback: string | null;
  readonly start: number;
  /** Offset after the last character. */
  readonly end: number;
  readonly text: string;
  /** What is wrong with it (an unknown filter, a reference inside the fallback); null when it is well formed. */
  readonly fault: string | null;
}

// Every repetition is bounded or ends before the next `$`, so a text of `$` costs linear time.
// A dash in the first name counts only before a dot: `${a-b}` is the shell's own default.
const NAME =
  /\$\{((?:[A-Za-z_]\w{0,199}(?:-\w{1,99}){1,20}(?=\.)|[A-Za-z_]\w{0,199})(?:\.[A-Za-z0-9_-]{1,200}|\[\d{1,9}\]){0,50})/y;
const TAIL = /(?:\|([^{}|\n$]{0,40})|:-([^}\n]{0,1000}))?\}/y;
const FILTER_TAIL = /^(.*)\|(raw|quote|file|opt)$/;
const PLAIN = /\$([A-Z_]+)(?![A-Za-z0-9_])/y;
const SEGMENT = /\[(\d+)\]|\.?([A-Za-z0-9_-]+)/g;

/** The reference that starts at the `$` at `offset`; null when there is none, whatever else the `$` may be. */
export function parseReferenceAt(text: string, offset: number): Reference | null {
  const name = matchAt(NAME, text, offset);
  if (name === null) return parsePlain(text, offset);
  const tail = matchAt(TAIL, text, offset + name[0].length);
  if (tail === null) return null;
  const end = offset + name[0].length + tail[0].length;
  const { filter, fallback, fault } = splitTail(tail[1], tail[2]);
  return {
    name: name[1] ?? "",
    path: pathOf(name[1] ?? ""),
    filter,
    fallback,
    start: offset,
    end,
    text: text.slice(offset, end),
    fault,
  };
}

/** True for a name with a dot in it, which no shell variable can have. */
export function isDotted(name: string): boolean {
  return name.includes(".");
}

function parsePlain(text: string, offset: number): Reference | null {
  const match = matchAt(PLAIN, text, offset);
  const name = match?.[1] ?? "";
  if (!isCapitalName(name)) return null;
  const end = offset + name.length + 1;
  const whole = text.slice(offset, end);
  return {
    name,
    path: [name],
    filter: null,
    fallback: null,
    start: offset,
    end,
    text: whole,
    fault: null,
  };
}

function splitTail(
  filter: string | undefined,
  fallback: string | undefined,
): Pick<Reference, "filter" | "fallback" | "fault"> {
  if (filter !== undefined) {
    if (isFilter(filter)) return { filter, fallback: null, fault: null };
    const fault = `unknown filter "${filter}"; the filters are raw, quote, file and opt`;
    return { filter: null, fallback: null, fault };
  }
  if (fallback === undefined) return { filter: null, fallback: null, fault: null };
  const piped = FILTER_TAIL.exec(fallback);
  const word = piped?.[2] ?? "";
  const text = piped?.[1] ?? fallback;
  const fault = text.includes("${")
    ? "a fallback is literal text and cannot hold a reference"
    : null;
  return { filter: isFilter(word) ? word : null, fallback: text, fault };
}

function isFilter(word: string): word is Filter {
  return word === "raw" || word === "quote" || word === "file" || word === "opt";
}

function pathOf(name: string): (string | number)[] {
  const path: (string | number)[] = [];
  for (const match of name.matchAll(SEGMENT)) {
    path.push(match[1] === undefined ? (match[2] ?? "") : Number(match[1]));
  }
  return path;
}

function matchAt(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}
