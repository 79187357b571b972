import type { TextualProblem } from "../steps/plan-kind.ts";
import type { ShellText } from "../values/shell/compile.ts";
import { doubleBracesIn, type TextTemplate } from "../values/text.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { SourceText } from "./model.ts";
import { rangeInText } from "./source.ts";

/** Filters that have no meaning outside shell text; a prompt takes `|file` (spec 3.2). */
export function filterProblems(
  template: TextTemplate,
  forClaude: boolean,
): readonly TextualProblem[] {
  return template.references
    .filter(({ filter }) => filter !== null && !(forClaude && filter === "file"))
    .map(({ text, filter, start, end }) => ({
      code: "filter-in-text",
      severity: "error",
      message: `${text}: the filter ${filter ?? ""} belongs to shell text`,
      help: forClaude ? "here only `|file` works" : "leave it out",
      start,
      end,
    }));
}

/** Those of a shell text, `{{x}}` in it told apart. @param text `null`: it is refused */
export function shellProblems(
  { value }: SourceText,
  text: ShellText | null,
  problems: readonly TextualProblem[],
): readonly TextualProblem[] {
  const braces = doubleBracesIn(value);
  // No shell knows them; in single quotes they may be meant for another program.
  const severity = text === null ? "error" : "warning";
  return [
    ...problems.filter((each) => !braces.some(({ start }) => start === each.start)),
    ...braces.map((each) => ({ ...each, severity }) as const),
  ];
}

/** All of a text. */
export function whole({ value }: SourceText): { readonly start: number; readonly end: number } {
  return { start: 0, end: value.length };
}

/** A problem of a text, at its place in the file. */
export function inText(source: SourceText, problem: TextualProblem): Diagnostic {
  const { start, end, code, severity, message, help } = problem;
  const range = rangeInText(source, start, end);
  return { code, severity, message, range, ...(help === undefined ? {} : { help }) };
}
