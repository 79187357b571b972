/** `worktree.run` in the tree of an input (spec 8.4). */
import type { InputValue } from "../../engine/events.ts";
import type { Prepared } from "../prepared.ts";
import { prepareWorktree } from "./prepare.ts";

/** `false`: mmm was told to stop. Throws `MmmError` (exit 3). */
export async function prepareInput(
  work: {
    readonly prepared: Prepared;
    readonly session: string;
    /** Absolute; of the session. */
    readonly directory: string;
    readonly input: InputValue;
    readonly run: readonly string[];
  },
  root: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { prepared, session, directory, input, run } = work;
  const { request, invocation, secrets } = prepared;
  const tell = (message: string): void => {
    if (request.verbosity >= 1) invocation.stderr.write(`[${input.index}] ${message}\n`);
  };
  const unit = `${input.index}-0000-prepare`;
  const { redactor } = secrets;
  // Nothing of what the others have done is paid again.
  const goesOn = `mmm resume ${session}`;
  const preparing = { run, root, session, directory, unit, redactor, tell, goesOn };
  return prepareWorktree(preparing, signal);
}
