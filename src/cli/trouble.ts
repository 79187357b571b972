/** The last word on anything thrown: known trouble in two lines, a bug with version and place to report. */
import type { Invocation } from "../app/cook-request.ts";
import { MmmError } from "../errors.ts";
import { printable } from "../lib/printable.ts";

const REPORT = "https://github.com/mmm-cook/mmm/issues";

/** Prints to stderr and returns the exit code (spec 1.1); a stack only when `MMM_DEBUG` is set. */
export function reportTrouble(error: unknown, invocation: Invocation): number {
  const { stderr } = invocation;
  if (error instanceof MmmError) {
    stderr.write(printable(`mmm: ${error.message}\n`));
    // Set off from the message, which may end in a list of files.
    error.next.forEach((line, index) => {
      stderr.write(printable(`${index === 0 ? "  next: " : "        "}${line}\n`));
    });
    return error.exitCode;
  }
  const text = error instanceof Error ? error.message : String(error);
  if (isSurroundings(error)) {
    stderr.write(printable(`mmm: the system refused: ${text}\n`));
    stderr.write("  look at who may read and write there, and at the free space\n");
    return 3;
  }
  stderr.write(printable(`mmm: this is a bug in mmm ${invocation.version}: ${text}\n`));
  stderr.write(`  report it with what you did: ${REPORT}\n`);
  if (invocation.env["MMM_DEBUG"] !== undefined && error instanceof Error)
    stderr.write(`${error.stack ?? ""}\n`);
  else stderr.write("  MMM_DEBUG=1 shows where\n");
  return 70;
}

/** What a system call answers when disk, permissions or limits are in the way: no bug of mmm's (spec 1.1). */
const REFUSALS: ReadonlySet<unknown> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "EIO",
  "ELOOP",
  "ENAMETOOLONG",
]);

function isSurroundings(error: unknown): boolean {
  return (
    error instanceof Error && "syscall" in error && "code" in error && REFUSALS.has(error.code)
  );
}
