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
    for (const line of error.next) stderr.write(printable(`  ${line}\n`));
    return error.exitCode;
  }
  const text = error instanceof Error ? error.message : String(error);
  stderr.write(printable(`mmm: this is a bug in mmm ${invocation.version}: ${text}\n`));
  stderr.write(`  report it with what you did: ${REPORT}\n`);
  if (invocation.env["MMM_DEBUG"] !== undefined && error instanceof Error)
    stderr.write(`${error.stack ?? ""}\n`);
  else stderr.write("  MMM_DEBUG=1 shows where\n");
  return 70;
}
