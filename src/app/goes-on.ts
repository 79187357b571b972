/** Trouble that stops a session in the middle says how the session goes on (spec 1.1). */
import { MmmError } from "../errors.ts";

/** @param name of a session that `mmm resume` can go on with when `work` is stopped by its surroundings */
export async function withWayOn<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw saysHow(error, `mmm resume ${name}`);
  }
}

function saysHow(error: unknown, line: string): unknown {
  if (!(error instanceof MmmError) || error.exitCode !== 3) return error;
  const { code, exitCode, message, next, cause } = error;
  if (next.some((each) => each.includes(line))) return error;
  return new MmmError(code, exitCode, { message, next: [...next, line], cause });
}
