/** Trouble that stops a session in the middle says how the session goes on (spec 1.1). */
import { MmmError } from "../errors.ts";

/** @param name of a session that `mmm resume` can go on with, once its surroundings are mended */
export function withWayOn(error: unknown, name: string): unknown {
  if (!(error instanceof MmmError) || error.exitCode !== 3) return error;
  const line = `mmm resume ${name}`;
  const { code, exitCode, message, next, cause } = error;
  if (next.some((each) => each.includes(line))) return error;
  return new MmmError(code, exitCode, { message, next: [...next, line], cause });
}
