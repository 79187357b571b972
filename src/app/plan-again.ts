/** The playbook of a session that was begun earlier, read where it lay and planned as it was asked then (spec 7). */
import { planPlaybook } from "../playbook/plan.ts";
import { planRead } from "../playbook/plan-read.ts";
import { readPlaybook } from "../playbook/read.ts";
import { lookUpCommands } from "./claude-check.ts";
import { readConfig } from "./config.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { findParams } from "./params.ts";
import { basePlan, notes, refuse, withConfig, workingDirectory } from "./planning.ts";
import { findPlaybook } from "./playbook-file.ts";
import { findSecrets } from "./secrets.ts";
import type { SavedRequest } from "./saved-request.ts";

interface Again {
  /** Top of the tree in which commands are looked up. */
  readonly root: string;
  /** Top of the tree that the user stands in. */
  readonly userRoot: string;
  readonly mainRoot: string;
  readonly invocation: Invocation;
  /** As mmm was started then. */
  readonly from: Invocation;
}

/**
 * The exit code for a playbook with problems, which are told. Throws `MmmError` for one that is gone, for
 * secrets that cannot be had, and the like.
 */
export async function planAgain(request: CookRequest, saved: SavedRequest, of: Again) {
  const { root, userRoot, invocation, from } = of;
  const file = findPlaybook(request.playbook ?? "", from);
  const read = readPlaybook(file.shown, file.bytes);
  const planRequest = await basePlan(request, { found: saved.inputs, read }, invocation);
  const first = planRead(read, planRequest);
  const { playbook, source } = read;
  if (playbook === null || first.plan === null)
    return refuse(source, first.diagnostics, invocation);
  const params = await findParams(playbook, request, from);
  const secrets = await findSecrets(playbook, {
    invocation,
    // A worktree has no files but those of its commit, and secrets are in none.
    root: saved.worktree === undefined ? root : userRoot,
  });
  const config = await readConfig(invocation, of.mainRoot);
  const cwd = saved.worktree?.cwd ?? workingDirectory(request, from);
  const replay = request.replay !== null;
  const lookup = await lookUpCommands(playbook, { cwd, root, replay }, invocation);
  const { plan: ready } = planPlaybook(
    playbook,
    withConfig({ ...planRequest, params }, { config, rules: lookup.rules, invocation }),
  );
  if (ready === null)
    throw new Error("a playbook that could be planned cannot be planned any more");
  notes(source, first.diagnostics, { request, invocation });
  const { diagnostics } = lookup;
  return {
    file,
    plan: ready,
    secrets,
    config,
    lookup,
    cwd,
    replay: request.replay,
    commit: request.commit ? playbook.commit : ("off" as const),
    /** Unknown commands are heard after the repository (spec 1.1). */
    refusal: diagnostics.length > 0 ? () => refuse(source, diagnostics, invocation) : null,
  };
}
