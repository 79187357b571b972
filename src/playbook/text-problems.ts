import type { TextualProblem } from "../steps/plan-kind.ts";
import type { TextTemplate } from "../values/text.ts";
import type { SourceText } from "./model.ts";

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

/** All of a text. */
export function whole({ value }: SourceText): { readonly start: number; readonly end: number } {
  return { start: 0, end: value.length };
}
