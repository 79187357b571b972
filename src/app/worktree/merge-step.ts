/** The step that merges where a playbook says nothing of it: Claude resolves the conflict (spec 8.3). */
import { planPlaybook } from "../../playbook/plan.ts";
import type { Plan, PlannedStep } from "../../playbook/plan-model.ts";
import { readPlaybook } from "../../playbook/read.ts";
import type { Invocation } from "../cook-request.ts";
import type { MergeContext } from "./merge-context.ts";

export const MERGE_COMMAND = "mmm-merge-worktree";

/** Of a playbook that cannot be had and that nothing depends on. */
export function bareMergePlan(): Plan {
  // Longer than any merge takes that is worth waiting for.
  const step = { claude: "merge", timeout: "1h", auto_commit: false, commit_required: false };
  const { playbook } = readPlaybook("merge", JSON.stringify([step]));
  const planned =
    playbook &&
    planPlaybook(playbook, {
      inputs: { count: 0, allHaveFiles: false },
      maxIterations: 1,
      environment: null,
      claude: { above: {}, below: {} },
      commandRules: new Map(),
      conditions: null,
      params: new Map(),
    });
  if (planned?.plan) return planned.plan;
  throw new Error("the step that merges cannot be planned");
}

/** @param root top of the tree in which the merge is made */
export async function claudeMergeStep(
  { request, config, invocation }: Pick<MergeContext, "request" | "config" | "invocation">,
  { branch, root }: { readonly branch: string; readonly root: string },
): Promise<PlannedStep> {
  const [step] = bareMergePlan().steps;
  if (step?.kind !== "claude") throw new Error("the step that merges is no Claude step");
  const model = request.model ?? invocation.env["MMM_MODEL"];
  const prompt = await promptFor(branch, root, invocation);
  return {
    ...step,
    step: { ...step.step, label: `merge ${branch}`, named: true },
    path: "merge",
    // What stands in the text is Claude's, whatever it looks like.
    prompt: { source: prompt, parts: [prompt], references: [] },
    workingDir: { source: ".", parts: ["."], references: [] },
    options: { ...config.claude, ...(model === undefined || model === "" ? {} : { model }) },
    command: prompt.startsWith(`/${MERGE_COMMAND} `) ? MERGE_COMMAND : null,
  };
}

/** The user's own command where there is one, else the text that mmm ships. */
async function promptFor(
  branch: string,
  root: string,
  { env, packageRoot }: Invocation,
): Promise<string> {
  const { resolveCommands } = await import("../../claude/commands.ts");
  const { shippedCommands } = await import("../shipped-commands.ts");
  const shipped = await shippedCommands(packageRoot);
  const config = env["CLAUDE_CONFIG_DIR"];
  const { found } = await resolveCommands([MERGE_COMMAND], {
    cwd: root,
    root,
    home: env["HOME"] ?? "/nonexistent",
    ...(config === undefined ? {} : { configDirectory: config }),
    shipped: new Map(),
  });
  if (found.has(MERGE_COMMAND)) return `/${MERGE_COMMAND} ${branch}`;
  const text = shipped.get(MERGE_COMMAND)?.text ?? "";
  const body = text.replace(/^---\n[\s\S]*?\n---\n/, "");
  return body.replaceAll("$ARGUMENTS", branch).trim();
}
