/**
 * `mmm cook`: from a request to a finished session (spec 1, 4).
 *
 * Checks run in the order of spec 1.1, the first kind of trouble wins: command line, playbook (2) →
 * repository, lock, dirt (3) → Claude commands (2) → claude, identity (3). Nothing is started and
 * nothing is written before all of them have passed.
 */
import path from "node:path";
import { MmmError } from "../errors.ts";
import { noRedactor } from "../lib/redact.ts";
import { checkIdentity, checkReady } from "../git/ready.ts";
import { findRepository } from "../git/repository.ts";
import { planPlaybook } from "../playbook/plan.ts";
import { planRead } from "../playbook/plan-read.ts";
import { readPlaybook } from "../playbook/read.ts";
import { lookUpCommands } from "./claude-check.ts";
import { readConfig } from "./config.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { findInputs, numberInputs } from "./inputs.ts";
import { findParams } from "./params.ts";
import { findSecrets, maskingErrors } from "./secrets.ts";
import { findPlaybook, noPlaybook } from "./playbook-file.ts";
import {
  basePlan,
  inputsAsked,
  notes,
  ownFiles,
  refuse,
  withConfig,
  workingDirectory,
} from "./planning.ts";
import { playSession } from "./play-session.ts";
import { leftByStopped } from "./resumable.ts";
import { lookAtLock } from "./look-at-lock.ts";
import { mainRootOf } from "./world.ts";

/** Returns the exit code; throws `MmmError` for trouble that has no place in the playbook. */
export async function cook(request: CookRequest, invocation: Invocation): Promise<number> {
  const cwd = workingDirectory(request, invocation);
  await checkRecordings(request, invocation);
  if (request.playbook === null)
    throw await noPlaybook({ cwd: invocation.cwd, packageRoot: invocation.packageRoot });
  const file = await findPlaybook(request.playbook, invocation);
  const read = readPlaybook(file.shown, file.bytes);
  const { playbook, source } = read;
  if (playbook === null) return refuseUnread(request, read, invocation);
  const found = await findInputs(request, cwd);
  const planRequest = await basePlan(request, { found, read }, invocation);
  const first = planRead(read, planRequest);
  if (first.plan === null) return refuse(source, first.diagnostics, invocation);

  const params = await findParams(playbook, request, invocation);
  const commit = request.commit ? playbook.commit : "off";
  const start = await findRepository(cwd, invocation.env);
  const inputs = numberInputs(found, start.root);
  const config = await readConfig(invocation, mainRootOf(start));
  const secrets = await findSecrets(playbook, { invocation, root: start.root });
  await lookAtLock(start, invocation);
  // Asked now and heard below, in its place: git answers while the tree is looked at.
  const identity = commit === "auto" ? checkIdentity(start) : Promise.resolve();
  identity.catch(() => undefined);
  const ready = await checkReady(start, {
    allowDirty: request.allowDirty,
    ownFiles: ownFiles(request, file, invocation),
  }).catch(async (error: unknown) => {
    throw await leftByStopped(error, { ...invocation, cwd });
  });
  const where = { cwd, root: start.root, replay: request.replay !== null };
  const lookup = await lookUpCommands(playbook, where, invocation);
  if (lookup.diagnostics.length > 0) return refuse(source, lookup.diagnostics, invocation);
  const { plan } = planPlaybook(
    playbook,
    withConfig({ ...planRequest, params }, { config, rules: lookup.rules, invocation }),
  );
  if (plan === null) throw new Error("a playbook that could be planned cannot be planned any more");
  notes(source, first.diagnostics, { request, invocation });
  return maskingErrors(secrets.redactor, () =>
    playSession(
      {
        request,
        invocation,
        file,
        plan,
        start,
        ready,
        lookup,
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

async function refuseUnread(
  request: CookRequest,
  read: ReturnType<typeof readPlaybook>,
  invocation: Invocation,
): Promise<number> {
  const asked = await basePlan(request, { found: inputsAsked(request), read }, invocation);
  return refuse(read.source, planRead(read, asked).diagnostics, invocation);
}

async function checkRecordings(request: CookRequest, invocation: Invocation): Promise<void> {
  if (request.record !== null && request.replay !== null) {
    throw new MmmError("record-and-replay", 2, {
      message: "--record and --replay exclude each other",
      next: ["record a real run first, then replay it"],
    });
  }
  // A recording belongs to the command line: what is wrong with it is said before all else (spec 1.1).
  if (request.replay !== null) {
    const { openReplay } = await import("./recordings.ts");
    await openReplay(path.resolve(invocation.cwd, request.replay), noRedactor);
  }
}
