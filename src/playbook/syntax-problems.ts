import { isCollection, isScalar, visit, type Document, type ErrorCode } from "yaml";
import type { Range } from "./diagnostic.ts";
import type { Problems } from "./problems.ts";

/** One slip makes many errors further down; nobody reads past these. */
const MAX_REPORTED = 20;

interface SyntaxError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly pos: readonly [number, number];
}

interface Words {
  readonly message?: string;
  readonly help: string;
}

const NO_KEY: Words = {
  message: "a line without a key",
  help: "write `key: value`, or indent the line to belong to the text above",
};
const AFTER_VALUE: Words = {
  message: "text after the end of a value",
  help: "put the whole value in quotes; inside single quotes write a quote twice",
};

/** Our words for the slips people make, and what to write; all others keep the parser's words. */
const WORDS: Partial<Record<ErrorCode, Words>> = {
  TAB_AS_INDENT: { message: "a tab used as indentation", help: "indent with spaces" },
  BAD_SCALAR_START: { help: "put the text in quotes" },
  BLOCK_AS_IMPLICIT_KEY: {
    message: "a `key: value` inside another one",
    help: "put a text that holds `: ` in quotes, or start a new line",
  },
  MULTILINE_IMPLICIT_KEY: {
    message: "a text over several lines where a key is expected",
    help: "is a `:` missing, or the indentation of a line off?",
  },
  BAD_DQ_ESCAPE: { help: "double the backslash, or use single quotes" },
  BAD_INDENT: { help: "entries of one list or mapping start in the same column" },
  BAD_ALIAS: { help: "put a text that starts with `*` or `&` in quotes" },
  TAG_RESOLVE_FAILED: { help: "put a text that starts with `!` in quotes" },
  UNEXPECTED_TOKEN: {
    help: "is the indentation right? keys beside a list of steps need the list under `steps:`",
  },
};
const UNCLOSED = /^(?:Missing closing|Flow (?:map|sequence) (?:must|in block))/;

/** `true`: the document has syntax errors, all reported; its content means nothing. */
export function reportSyntax(document: Document.Parsed, text: string, problems: Problems): boolean {
  const { explicit, version } = document.directives?.yaml ?? {};
  if (explicit === true && version !== "1.2") {
    const end = Math.max(0, text.indexOf("\n"));
    const help = "remove the %YAML line";
    const message = `playbooks are YAML 1.2, not ${version}`;
    problems.error("yaml-version", { start: 0, end }, message, { help });
    return true;
  }
  const found = withoutEchoes([...document.errors, ...document.warnings]);
  for (const error of found.slice(0, MAX_REPORTED)) reportOne(error, { document, text, problems });
  const left = found.length - MAX_REPORTED;
  if (left > 0) {
    const start = Math.min(found.at(-1)?.pos[0] ?? 0, text.length);
    problems.note("more", { start, end: start }, `${left} more syntax errors are not shown`);
  }
  return found.length > 0;
}

/** One slip, one problem: of two at one place the later says more; what follows lost track is none. */
function withoutEchoes(errors: readonly SyntaxError[]): readonly SyntaxError[] {
  const lost = errors.findIndex(({ code }) => code === "UNEXPECTED_TOKEN");
  const told = errors.filter(
    ({ code, message }, index) =>
      index <= lost || code !== "UNEXPECTED_TOKEN" || !message.includes("in YAML stream"),
  );
  return told.filter(({ pos }, index) => pos[0] !== told[index + 1]?.pos[0]);
}

interface Where {
  readonly document: Document.Parsed;
  readonly text: string;
  readonly problems: Problems;
}

function reportOne({ code, message, pos }: SyntaxError, { document, text, problems }: Where): void {
  const start = Math.min(pos[0], text.length);
  const opened = UNCLOSED.test(message) ? openedBefore(document, start) : null;
  if (opened !== null) {
    const said = `this \`${text.slice(opened.start, opened.end)}\` is not closed`;
    problems.error("yaml-syntax", opened, said, { help: "close it, and indent what is inside" });
    return;
  }
  const range = { start, end: Math.min(text.length, Math.max(pos[1], start + 1)) };
  const words = wordsFor({ code, message, pos }, text);
  const more = words === undefined ? {} : { help: words.help };
  problems.error("yaml-syntax", range, words?.message ?? lowerFirst(message), more);
}

function wordsFor({ code, message, pos: [start] }: SyntaxError, text: string): Words | undefined {
  if (message.startsWith("Implicit map key")) return NO_KEY;
  const before = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  return message.endsWith("at node end") && before.trim() !== "" ? AFTER_VALUE : WORDS[code];
}

/** The quote or bracket whose end is missing at an offset: the innermost one that reaches it. */
function openedBefore(document: Document.Parsed, offset: number): Range | null {
  let found: Range | null = null;
  visit(document, {
    Node(_, node) {
      const start = node.range?.[0];
      if (start === undefined || start > offset || (node.range?.[1] ?? 0) < offset) return;
      const isQuoted = isScalar(node) && (node.type ?? "").startsWith("QUOTE");
      const isFlow = isCollection(node) && node.flow === true;
      if (isQuoted || isFlow) found = { start, end: start + 1 };
    },
  });
  return found;
}

function lowerFirst(message: string): string {
  const cut = message.length > 200 ? `${message.slice(0, 200)}…` : message;
  return cut.charAt(0).toLowerCase() + cut.slice(1);
}
