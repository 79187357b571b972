/**
 * `mmm cook`: from a request to a finished session (spec 1, 4).
 *
 * Checks run in the order of spec 1.1, the first kind of trouble wins: command line, playbook (2) →
 * repository, lock, dirt (3) → Claude commands (2) → claude, identity (3). Nothing is started and
 * nothing is written before all of them have passed.
 */
import path from "node:path";
import { checkIdentity, checkReady, type Ready } from "../git/ready.ts";
import { findRepository, type RepositoryStart } from "../git/repository.ts";
import { planPlaybook } from "../playbook/plan.ts";
import { lookUpCommands } from "./claude-check.ts";
import { readConfig } from "./config.ts";
import { checkRequest } from "./cook-checks.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { numberInputs } from "./inputs.ts";
import { findSecrets, maskingErrors } from "./secrets.ts";
import { notes, ownFiles, refuse, withConfig } from "./planning.ts";
import { playSession } from "./play-session.ts";
import { leftByStopped } from "./resumable.ts";
import { lookAtLock } from "./look-at-lock.ts";
import { mainRootOf } from "./world.ts";
import { checkMergingGit } from "./worktree/merging-git.ts";

/** Returns the exit code; throws `MmmError` for trouble that has no place in the playbook. */
export async function cook(request: CookRequest, invocation: Invocation): Promise<number> {
  const checked = await checkRequest(request, invocation);
  if (typeof checked === "number") return checked;
  const { cwd, file, found, planRequest, diagnostics, params } = checked;
  const { playbook, source } = checked;
  const commit = request.commit ? playbook.commit : "off";
  const start = await findRepository(cwd, invocation.env);
  const inputs = numberInputs(found, start.root);
  const config = await readConfig(invocation, mainRootOf(start));
  const secrets = await findSecrets(playbook, { invocation, root: start.root });
  const isParallel = (request.parallel ?? null) !== null;
  const wanted = request.worktree === true || playbook.worktree.wanted || isParallel;
  const bySteps = playbook.merge !== null;
  const isMerged = request.yes;
  const old = wanted ? await checkMergingGit(start, { isParallel, isMerged, bySteps }) : null;
  // Nothing runs in the tree one stands in: neither a session nor dirt in there is in the way.
  if (!wanted) await lookAtLock(start, invocation);
  // Asked now and heard below, in its place: git answers while the tree is looked at.
  const identity = commit === "auto" ? checkIdentity(start) : Promise.resolve();
  identity.catch(() => undefined);
  const own = ownFiles(request, file, invocation);
  const ready = wanted
    ? { protectedPaths: [] }
    : await readyInPlace(start, { request, invocation }, own);
  const where = { cwd, root: start.root, replay: request.replay !== null };
  const lookup = await lookUpCommands(playbook, where, invocation);
  if (lookup.diagnostics.length > 0) return refuse(source, lookup.diagnostics, invocation);
  const { plan } = planPlaybook(
    playbook,
    withConfig({ ...planRequest, params }, { config, rules: lookup.rules, invocation }),
  );
  if (plan === null) throw new Error("a playbook that could be planned cannot be planned any more");
  notes(source, diagnostics, { request, invocation });
  return maskingErrors(secrets.redactor, () =>
    playSession(
      {
        request,
        invocation,
        file,
        plan,
        start,
        home: start,
        mainRoot: mainRootOf(start),
        worktree: wanted ? "wanted" : null,
        ownFiles: own,
        ready,
        lookup: { ...lookup, warnings: [...lookup.warnings, ...(old === null ? [] : [old])] },
        config,
        cwd,
        commit,
        inputs,
        identity,
        secrets,
      },
      null,
    ),
  );
}

async function readyInPlace(
  start: RepositoryStart,
  { request, invocation }: { readonly request: CookRequest; readonly invocation: Invocation },
  own: readonly string[],
): Promise<Ready> {
  const { allowDirty } = request;
  return checkReady(start, { allowDirty, ownFiles: own }).catch(async (error: unknown) => {
    throw await leftByStopped(error, { ...invocation, cwd: path.join(start.root, start.prefix) });
  });
}
