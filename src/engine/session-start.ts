/** What a session says first: what will run, where, and how much of it at most. */
import type { Run } from "./context.ts";
import type { Event } from "./events.ts";
import type { TreeLook } from "./ports.ts";

export function startOf(
  { plan, facts, options, ports, budget }: Run,
  asked: {
    readonly inputs: readonly unknown[];
    readonly parallel: { readonly atOnce: number } | null;
  },
  look: Pick<TreeLook, "head" | "branch">,
): Event {
  return {
    type: "session-started",
    session: facts.id,
    playbook: facts.playbook,
    name: plan.playbook.name,
    description: plan.playbook.description,
    steps: plan.steps.length,
    inputs: asked.inputs.length,
    parallel: asked.parallel?.atOnce ?? 1,
    maxIterations: plan.maxIterations,
    boundFrom: plan.boundFrom,
    root: ports.tree.root,
    cwd: facts.cwd,
    head: look.head,
    branch: look.branch,
    commit: options.commit,
    limits: budget.limits,
    replay: facts.replay,
    version: facts.version,
  };
}
