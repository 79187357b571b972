/** What a merge takes from the playbook of its session: steps, gates, secrets (spec 8.3). */
import path from "node:path";
import { MmmError } from "../../errors.ts";
import { mergeGates } from "../../playbook/plan-merge-gates.ts";
import type { Plan } from "../../playbook/plan-model.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import type { MergeNeed } from "../../session/worktree-file.ts";
import type { Invocation } from "../cook-request.ts";
import { noRedactor } from "../../lib/redact.ts";
import { readConfig } from "../config.ts";
import { planAgain } from "../plan-again.ts";
import type { Prepared } from "../prepared.ts";
import type { SavedRequest } from "../saved-request.ts";
import { bareMergePlan } from "./merge-step.ts";

export interface MergeContext extends Pick<
  Prepared,
  "request" | "invocation" | "file" | "plan" | "config" | "secrets" | "commit"
> {
  readonly isResolved: (command: string) => boolean;
  /** Where steps and gates run, from the top of a tree. */
  readonly prefix: string;
}

const NO_BYTES = new Uint8Array();

/** Without these nothing is lost when the playbook is not there any more. */
export function needsOf(plan: Plan): readonly MergeNeed[] {
  return [
    ...(mergeGates(plan).length > 0 ? (["gates"] as const) : []),
    ...(plan.merge === null ? [] : (["steps"] as const)),
    ...(plan.playbook.secrets.length > 0 ? (["secrets"] as const) : []),
  ];
}

/** Of a session that has just run. */
export function contextOf(prepared: Prepared): MergeContext {
  const prefix = path.relative(prepared.start.root, prepared.cwd);
  return { ...prepared, isResolved: prepared.lookup.isResolved, prefix };
}

/** The playbook cannot be had. */
export interface NoContext {
  readonly why: string;
  /** For a merge that needs nothing of it; `null`: not even the request is known. */
  readonly bare: MergeContext | null;
}

/** Of one that ran earlier, from its playbook as it lies there now. */
export async function contextAgain(
  saved: SavedRequest | null,
  of: {
    readonly here: RepositoryStart;
    readonly mainRoot: string;
    readonly invocation: Invocation;
  },
): Promise<MergeContext | NoContext> {
  if (saved === null) return { why: "its journal does not say which playbook it was", bare: null };
  const { here, mainRoot, invocation } = of;
  const { request } = saved;
  const from = { ...invocation, cwd: saved.from };
  const where = { root: here.root, userRoot: here.root, mainRoot, invocation, from };
  const none = async (why: string): Promise<NoContext> => {
    const config = await readConfig(invocation, mainRoot);
    const plan = bareMergePlan();
    const secrets = { values: new Map<string, string>(), redactor: noRedactor };
    const file = { shown: request.playbook ?? "", absolute: "", shipped: false, bytes: NO_BYTES };
    const known = { request, invocation, plan, config, secrets, file };
    return { why, bare: { ...known, commit: "auto", isResolved: () => true, prefix: "" } };
  };
  try {
    const planned = await planAgain(request, saved, where);
    if (typeof planned === "number")
      return await none(`${request.playbook ?? "the playbook"} has problems now`);
    const { isResolved } = planned.lookup;
    const tree = saved.worktree;
    const prefix = tree === undefined ? "" : path.relative(tree.root, tree.cwd);
    return { ...planned, request, invocation, isResolved, prefix };
  } catch (error) {
    if (error instanceof MmmError) return await none(error.message);
    throw error;
  }
}
