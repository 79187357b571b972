/**
 * `mmm cook`: from a request to a finished session (spec 1, 4).
 *
 * Checks run in the order of spec 1.1, the first kind of trouble wins: command line, playbook (2) →
 * repository, lock, dirt (3) → Claude commands (2) → claude, identity (3). Nothing is started and
 * nothing is written before all of them have passed.
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { InputValue } from "../engine/events.ts";
import { MmmError } from "../errors.ts";
import { checkIdentity, checkReady } from "../git/ready.ts";
import { findRepository, type RepositoryStart } from "../git/repository.ts";
import type { Diagnostic } from "../playbook/diagnostic.ts";
import type { Playbook } from "../playbook/model.ts";
import { planPlaybook, type PlanRequest } from "../playbook/plan.ts";
import type { Plan } from "../playbook/plan-model.ts";
import { planRead } from "../playbook/plan-read.ts";
import { renderDiagnostics } from "../playbook/print.ts";
import { readPlaybook } from "../playbook/read.ts";
import type { SourceFile } from "../playbook/source.ts";
import { checkLock } from "../session/lock.ts";
import { lookUpCommands } from "./claude-check.ts";
import { type Config, readConfig } from "./config.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { findInputs, type FoundInput, numberInputs } from "./inputs.ts";
import { findPlaybook, noPlaybook, type PlaybookFile } from "./playbook-file.ts";
import { playSession } from "./play-session.ts";
import { lockFile, mainRootOf } from "./world.ts";

/** Returns the exit code; throws `MmmError` for trouble that has no place in the playbook. */
export async function cook(request: CookRequest, invocation: Invocation): Promise<number> {
  const cwd = workingDirectory(request, invocation);
  if (request.record !== null && request.replay !== null) {
    throw new MmmError("record-and-replay", 2, {
      message: "--record and --replay exclude each other",
      next: ["record a real run first, then replay it"],
    });
  }
  // A recording belongs to the command line: what is wrong with it is said before all else (spec 1.1).
  if (request.replay !== null) {
    const { openReplay } = await import("./recordings.ts");
    await openReplay(path.resolve(invocation.cwd, request.replay));
  }
  if (request.playbook === null)
    throw await noPlaybook({ cwd: invocation.cwd, packageRoot: invocation.packageRoot });
  const file = await findPlaybook(request.playbook, invocation);
  const read = readPlaybook(file.shown, file.bytes);
  const { playbook, source } = read;
  if (playbook === null) {
    const asked = basePlan(request, inputsAsked(request), invocation);
    return refuse(source, planRead(read, asked).diagnostics, invocation);
  }
  const found = await findInputs(request, cwd);
  const planRequest = basePlan(request, found, invocation);
  const first = planRead(read, planRequest);
  if (first.plan === null) return refuse(source, first.diagnostics, invocation);

  const commit = request.commit ? playbook.commit : "off";
  const start = await findRepository(cwd, invocation.env);
  const inputs = numberInputs(found, start.root);
  const config = await readConfig(invocation, mainRootOf(start));
  await lookAtLock(start, invocation);
  // Asked now and heard below, in its place: git answers while the tree is looked at.
  const identity = commit === "auto" ? checkIdentity(start) : Promise.resolve();
  identity.catch(() => undefined);
  const ready = await checkReady(start, {
    allowDirty: request.allowDirty,
    ownFiles: ownFiles(request, file, invocation),
  });
  const replay = request.replay !== null;
  const lookup = await lookUpCommands(playbook, { cwd, root: start.root, replay }, invocation);
  if (lookup.diagnostics.length > 0) return refuse(source, lookup.diagnostics, invocation);
  const { plan } = planPlaybook(
    playbook,
    withConfig(planRequest, { config, rules: lookup.rules, invocation }),
  );
  if (plan === null) throw new Error("a playbook that could be planned cannot be planned any more");
  notes(source, first.diagnostics, { request, invocation });
  return playSession({
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
  });
}

/** Refuses a tree that a live session holds; of one that was killed, ends what still runs. */
async function lookAtLock(start: RepositoryStart, { stderr }: Invocation): Promise<void> {
  const killed = await checkLock(lockFile(start));
  if (killed === null) return;
  const { endLeftBehind } = await import("./left-behind.ts");
  stderr.write(`mmm: ${await endLeftBehind(killed, mainRootOf(start))}\n`);
}

/** Everything a session needs to be played, checked. */
export interface Prepared {
  readonly request: CookRequest;
  readonly invocation: Invocation;
  readonly file: PlaybookFile;
  readonly plan: Plan;
  readonly start: RepositoryStart;
  readonly ready: Awaited<ReturnType<typeof checkReady>>;
  readonly lookup: Awaited<ReturnType<typeof lookUpCommands>>;
  readonly config: Config;
  /** Absolute path of the directory steps run in. */
  readonly cwd: string;
  readonly commit: Playbook["commit"];
  readonly inputs: readonly InputValue[];
  /** Rejects when git does not know who commits; its turn comes after claude is found (spec 1.1). */
  readonly identity: Promise<void>;
}

/** `--path`, `~/` expanded, else where mmm was started. */
function workingDirectory(request: CookRequest, { cwd, env }: Invocation): string {
  const typed = request.path;
  const home = env["HOME"];
  const expanded =
    typed?.startsWith("~/") && home !== undefined ? path.join(home, typed.slice(2)) : typed;
  const directory = expanded === undefined || expanded === null ? cwd : path.resolve(cwd, expanded);
  if (!existsSync(directory)) {
    throw new MmmError("path-missing", typed === null ? 3 : 2, {
      message: `the directory ${directory} does not exist`,
      next: [typed === null ? "cd to a directory that exists" : "check --path"],
    });
  }
  // git names the repository by its real path, and inputs are told relative to it.
  if (statSync(directory).isDirectory()) return realpathSync(directory);
  throw new MmmError("path-not-directory", 2, {
    message: `--path ${typed ?? ""} is not a directory`,
  });
}

/** Of a playbook that will not run: nothing is looked for. */
function inputsAsked({ map, args }: CookRequest): readonly Pick<FoundInput, "file">[] {
  return [...map.map((file) => ({ file })), ...args.map(() => ({ file: null }))];
}

function basePlan(
  request: CookRequest,
  found: readonly Pick<FoundInput, "file">[],
  { env }: Invocation,
): PlanRequest {
  return {
    inputs: { count: found.length, allHaveFiles: found.every(({ file }) => file !== null) },
    maxIterations: request.maxIterations,
    environment: env,
    claude: { above: request.model === null ? {} : { model: request.model }, below: {} },
    commandRules: new Map(),
  };
}

function withConfig(
  request: PlanRequest,
  known: {
    readonly config: Config;
    readonly rules: PlanRequest["commandRules"];
    readonly invocation: Invocation;
  },
): PlanRequest {
  const model = known.invocation.env["MMM_MODEL"];
  const below = {
    ...known.config.claude,
    ...(model === undefined || model === "" ? {} : { model }),
  };
  return { ...request, commandRules: known.rules, claude: { ...request.claude, below } };
}

/** What mmm itself reads never counts as dirt (spec 5). */
function ownFiles(
  request: CookRequest,
  file: PlaybookFile,
  { cwd }: Invocation,
): readonly string[] {
  const typed = [request.replay, request.record].filter((each) => each !== null);
  return [file.absolute, ...typed.map((each) => path.resolve(cwd, each))];
}

function refuse(
  source: SourceFile,
  diagnostics: readonly Diagnostic[],
  { stderr }: Invocation,
): number {
  stderr.write(renderDiagnostics(source, diagnostics));
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  stderr.write(
    `\nmmm: ${errors} ${errors === 1 ? "problem" : "problems"} in ${source.name}, nothing was run\n`,
  );
  return 2;
}

/** Warnings and notes of a playbook that runs all the same. */
function notes(
  source: SourceFile,
  diagnostics: readonly Diagnostic[],
  { request, invocation }: { readonly request: CookRequest; readonly invocation: Invocation },
): void {
  // `mmm validate` is the place for them; a run that works is not to be drowned in advice.
  if (request.verbosity < 1) return;
  if (diagnostics.length > 0)
    invocation.stderr.write(`${renderDiagnostics(source, diagnostics)}\n`);
}
