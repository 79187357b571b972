/** Writing under `.mmm/`: trouble there stops a run with its cause (spec 1.1, exit 3). */
import { MmmError } from "../errors.ts";

/** The error for a write that failed; `what` reads after "cannot". */
export function diskError(what: string, cause: unknown): MmmError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  return new MmmError("disk", 3, {
    message: `cannot ${what}: ${reason}`,
    next:
      code === "ENOSPC"
        ? ["free some space, then run it again"]
        : ["check that the directory can be written: ls -ld .mmm"],
    cause,
  });
}

/** Runs a write and turns its trouble into a {@link diskError}. */
export function writing<T>(what: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw diskError(what, error);
  }
}
