/** A refusal or a warning about a place in `shell:` text. */
export interface ShellProblem {
  /** Stable: tests and docs name it. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** Offset in the text as the user wrote it. */
  readonly start: number;
  /** Offset after the last character. */
  readonly end: number;
}

/** A place in a text: anything with a start and an end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function errorAt(span: Span, code: string, message: string): ShellProblem {
  return { code, severity: "error", message, start: span.start, end: span.end };
}

export function warningAt(span: Span, code: string, message: string): ShellProblem {
  return { code, severity: "warning", message, start: span.start, end: span.end };
}
