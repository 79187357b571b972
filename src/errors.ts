/**
 * Expected trouble with the surroundings, as an exception: what is, then the command to type next.
 *
 * Problems of a playbook are `Diagnostic[]`, trouble in a run is an outcome; anything else that is
 * thrown is a bug (exit 70). Codes are stable (spec 1.1).
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 70 | 75 | 130 | 143;

export class MmmError extends Error {
  override readonly name = "MmmError";
  readonly code: string;
  readonly exitCode: ExitCode;
  /** Lines to type or do next, most useful first. */
  readonly next: readonly string[];

  /** @param trouble `message`: lower case, with the actual value, no full stop; `next`: what helps. */
  constructor(
    code: string,
    exitCode: ExitCode,
    trouble: {
      readonly message: string;
      readonly next?: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    super(trouble.message, trouble.cause === undefined ? undefined : { cause: trouble.cause });
    this.code = code;
    this.exitCode = exitCode;
    this.next = trouble.next ?? [];
  }
}
