/** mmm's own commits, and what a step may not do to HEAD (spec 5). */
import { unreachable } from "../lib/unreachable.ts";
import type { PlannedStep } from "../playbook/plan-model.ts";
import type { Frame } from "./context.ts";
import type { StepPlace } from "./events.ts";
import { failure, refused } from "./failure.ts";
import type { Failure } from "./outcome.ts";
import type { CommitOutcome, TreePoint } from "./ports.ts";
import { renderText } from "./render.ts";
import { shownSubject } from "./shown.ts";

/**
 * Commits what the step left uncommitted; `null`: done, or nothing to do.
 *
 * @param failed exit code of a failure that is tolerated; it becomes the trailer `Mmm-Failed`.
 */
export async function commitLeftovers(
  frame: Frame,
  step: {
    readonly planned: PlannedStep;
    readonly at: StepPlace;
    readonly failed: string | null;
    /** The attempt's command or prompt. */
    readonly rendered: string;
  },
): Promise<Failure | null> {
  const { run } = frame;
  const { planned, at } = step;
  if (run.options.commit === "off" || planned.step.autoCommit === "off") return null;
  if (frame.look.changes.length === 0) return null;
  if (run.options.merging && frame.look.changes.some(({ kind }) => kind === "unmerged"))
    return null;
  const message = await subject(frame, planned, step.rendered);
  if (typeof message !== "string") return message;
  const outcome = await run.ports.tree.commit(
    {
      message: run.secrets.mask(message),
      trailers: [
        ["Mmm-Session", run.facts.id],
        ["Mmm-Playbook", run.plan.playbook.name],
        ["Mmm-Step", planned.path],
        ["Mmm-Iteration", String(frame.iteration)],
        ...(step.failed === null ? [] : ([["Mmm-Failed", step.failed]] as const)),
      ],
      changes: frame.look.changes,
      everything: planned.step.autoCommit === "all",
    },
    run.signal,
  );
  frame.look = await run.ports.tree.look();
  if (outcome.kind === "committed") {
    const commit = { sha: outcome.sha, subject: outcome.subject };
    run.toldCommits.add(commit.sha);
    run.sink.event({ type: "commit-made", at, commit, by: "mmm" });
  }
  return refusal(
    outcome.kind === "refused" ? { ...outcome, text: run.secrets.mask(outcome.text) } : outcome,
  );
}

/** HEAD moved backwards or to another branch: a failure, never "a commit" (spec 5). */
export async function headTrouble(frame: Frame, start: TreePoint): Promise<Failure | null> {
  const { look, run } = frame;
  if (look.head === start.head && look.branch === start.branch) return null;
  const movement = await run.ports.tree.movement(start, look);
  switch (movement) {
    case "same":
    case "forward":
      return null;
    case "backward":
      return astray(`HEAD moved backwards, from ${short(start.head)} to ${short(look.head)}`);
    case "sideways":
      return astray(
        look.branch === start.branch
          ? `history was rewritten: ${short(look.head)} does not contain ${short(start.head)}`
          : `HEAD moved from ${named(start.branch)} to ${named(look.branch)}`,
      );
    default:
      return unreachable(movement);
  }
}

function astray(message: string): Failure {
  return failure("head", message, null, [
    "a step may add commits; the branch and what is in it must stay",
  ]);
}

/** `commit_message`, else `name`, else what was run: over several inputs the same step reads differently. */
async function subject(
  frame: Frame,
  planned: PlannedStep,
  rendered: string,
): Promise<string | Failure> {
  const { named, label } = planned.step;
  const run = planned.kind === "claude" ? rendered.replace(/^\s*\//, "") : rendered;
  const usual = named ? label : shownSubject(run) || label;
  if (planned.commitMessage === null) return usual;
  const context = { scope: frame.scope, store: frame.run.ports.store, unit: "commit-message" };
  const text = await renderText(planned.commitMessage, context);
  if (text.ok) return text.value.trim() === "" ? usual : text.value;
  return text.error.kind === "refused"
    ? refused(text.error)
    : failure("value", `commit_message: ${text.error.reference} is not there`);
}

function refusal(outcome: CommitOutcome): Failure | null {
  switch (outcome.kind) {
    case "committed":
    case "nothing":
      return null;
    case "refused":
      return failure("commit", `git commit was refused: ${outcome.text.trim()}`);
    case "timed-out":
      return failure(
        "commit",
        `git commit did not end within ${outcome.afterMs / 1000} s and was ended`,
        null,
        ["if it waits for a passphrase, unlock the signing key first"],
      );
    case "blocked":
      return failure("commit", `not committed: ${outcome.reasons.join("; ")}`, null, [
        ...(outcome.ignoreLines.length > 0
          ? [`add to .gitignore: ${outcome.ignoreLines.join(" ")}`]
          : []),
        `${outcome.ignoreLines.length > 0 ? "or write" : "write"} \`auto_commit: all\` at this step`,
      ]);
    default:
      return unreachable(outcome);
  }
}

function short(sha: string): string {
  return sha.slice(0, 10);
}

function named(branch: string | null): string {
  return branch === null ? "a detached HEAD" : `branch ${branch}`;
}
