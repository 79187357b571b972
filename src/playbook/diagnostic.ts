/** Offsets into the playbook's text, in UTF-16 units; `end` is one past the last unit. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * One problem of a playbook, with its place (spec section 2).
 *
 * `code` is stable API: never reworded, never reused. `severity` `note` and `warning` do not stop a run.
 * `help` is what to write instead, without a leading "help:"; `related` points at a second place
 * ("the other declaration is here").
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
  readonly range: Range;
  readonly help?: string;
  readonly related?: { readonly message: string; readonly range: Range };
}

/** Code of the warning about what looks like a key or password in the text of a playbook. */
export const PLAIN_SECRET = "plain-secret";
