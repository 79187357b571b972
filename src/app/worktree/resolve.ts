/** A merge that git cannot make alone: Claude makes it in a scratch worktree, git judges it (spec 8.3). */
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { MmmError } from "../../errors.ts";
import { filesWithMarkers } from "../../git/merge.ts";
import { uncommittedSettings } from "../../git/ready.ts";
import { findRepository, type RepositoryStart } from "../../git/repository.ts";
import { readStatus } from "../../git/status.ts";
import { addWorktree, isAncestor, removeWorktree } from "../../git/worktree.ts";
import { ownChildren } from "../../process/children.ts";
import { interruptCode, watchSignals } from "../../process/signals.ts";
import type { FoundSecrets } from "../secrets.ts";
import { inTurn } from "../../session/turn.ts";
import { claudeSearch, userId } from "../claude-check.ts";
import type { Config } from "../config.ts";
import type { Invocation } from "../cook-request.ts";
import { carrySettings } from "./carry.ts";
import type { Conflict, Resolve } from "./merge.ts";
import { makingLock, projectFolder } from "./place.ts";

export interface Resolving {
  readonly here: RepositoryStart;
  readonly mainRoot: string;
  /** Absolute; of the session: logs go there. */
  readonly directory: string;
  readonly config: Config;
  readonly invocation: Invocation;
  readonly secrets: FoundSecrets;
  readonly request: { readonly replay: string | null; readonly model: string | null };
}

const COMMAND = "mmm-merge-worktree";
/** Longer than any merge takes that is worth waiting for. */
const TIMEOUT_MS = 60 * 60_000;
const PATIENCE_MS = 10 * 60_000;

export function claudeResolver(resolving: Resolving): Resolve {
  return async (conflict) => {
    if (resolving.request.replay !== null)
      return { why: "a recording stands in for Claude, and it knows no merges" };
    const { here, mainRoot, invocation } = resolving;
    const folder = projectFolder(here, mainRoot, invocation);
    const place = path.join(folder, `merging-${conflict.branch}`);
    const turn = {
      file: makingLock(here),
      what: "another mmm that makes a worktree in this repository",
      waitMs: PATIENCE_MS,
      tell: () => undefined,
    };
    try {
      const scratch = await inTurn(turn, async () => {
        // A merge that was killed has left it.
        await removeWorktree(here, place);
        return addWorktree(here, { path: place, branch: null, commit: conflict.ours });
      });
      return await resolveIn(scratch, conflict, resolving);
    } finally {
      await inTurn(turn, () => removeWorktree(here, place)).catch(() => undefined);
    }
  };
}

async function resolveIn(
  scratch: RepositoryStart,
  conflict: Conflict,
  resolving: Resolving,
): ReturnType<Resolve> {
  const user = await findRepository(resolving.mainRoot, resolving.here.env).catch(() => null);
  if (user !== null) {
    const settings = await uncommittedSettings(user);
    await carrySettings({ from: user, to: scratch.root, settings, files: [] });
  }
  const why = await askClaude(scratch, conflict, resolving);
  if (why !== null) return { why };
  return judge(scratch, conflict);
}

/** Nothing that Claude says counts, only what git has. */
async function judge(
  { root, gitDir, env }: RepositoryStart,
  { ours, theirs, files }: Conflict,
): ReturnType<Resolve> {
  const now = await findRepository(root, env);
  const status = await readStatus({ root, env: now.env });
  const tracked = [...status.entries.values()].filter(({ kind }) => kind !== "added");
  if (
    existsSync(path.join(gitDir, "MERGE_HEAD")) ||
    tracked.some(({ kind }) => kind === "unmerged")
  )
    return { why: "Claude did not finish the merge" };
  for (const ancestor of [ours, theirs])
    if (!(await isAncestor(now, { ancestor, of: now.head })))
      return { why: "Claude made no commit that has both sides" };
  const marked = await filesWithMarkers(now, { commit: now.head, files });
  if (marked.length > 0) return { why: `Claude left conflict markers in ${marked.join(", ")}` };
  return { commit: now.head };
}

/** `null`: it has come to its end; else why not. */
async function askClaude(
  scratch: RepositoryStart,
  conflict: Conflict,
  resolving: Resolving,
): Promise<string | null> {
  const { directory, config, invocation, request, secrets } = resolving;
  const { env } = invocation;
  const watch = watchSignals(() => ownChildren.killAllNow());
  try {
    const { findClaude } = await import("../../claude/preflight.ts");
    const { refuseRoot } = await import("../../claude/command-line.ts");
    const { createClaudePort } = await import("../../claude/runner.ts");
    const program = await findClaude(claudeSearch(invocation, config.claudeBin));
    const model = request.model ?? env["MMM_MODEL"];
    const options = { ...config.claude, ...(model === undefined || model === "" ? {} : { model }) };
    const uid = program.version === null ? null : userId();
    refuseRoot(options, { uid, sandbox: env["IS_SANDBOX"] });
    const { prompt, isInstalled } = await promptFor(conflict.branch, scratch, invocation);
    const port = createClaudePort({
      children: ownChildren,
      bin: program.bin,
      uid,
      sandbox: env["IS_SANDBOX"],
      strictPermissions: config.strictPermissions,
      variables: Object.keys(env),
      isResolved: () => isInstalled,
      redactor: secrets.redactor,
    });
    const unit = `merge-${process.pid}`;
    for (const name of ["claude", "logs"])
      mkdirSync(path.join(directory, name), { recursive: true });
    const report = await port.run(
      {
        prompt,
        options,
        step: "merge",
        eventsFile: path.join(directory, "claude", `${unit}.jsonl`),
        logFile: path.join(directory, "logs", `${unit}.log`),
        cwd: scratch.root,
        env: { MMM_AUTOMATION: "true", MMM_SESSION: conflict.branch, PROJECT_ROOT: scratch.root },
        timeoutMs: TIMEOUT_MS,
      },
      watch.aborted,
    );
    const code = interruptCode(watch.aborted);
    if (code !== null) throw stopped(conflict.branch, code);
    return report.verdict.ok ? null : `Claude could not resolve it: ${report.verdict.message}`;
  } catch (error) {
    if (!(error instanceof MmmError) || error.code === "interrupted") throw error;
    return error.message;
  } finally {
    await ownChildren.endAll(watch.aborted.aborted);
    watch.stop();
  }
}

function stopped(branch: string, exitCode: 130 | 143): MmmError {
  return new MmmError("interrupted", exitCode, {
    message: "the merge was interrupted, and everything is as it was before",
    next: [`mmm worktree merge ${branch}`],
  });
}

/** The user's own command where there is one, else the text that mmm ships. */
async function promptFor(
  branch: string,
  { root }: RepositoryStart,
  { env, packageRoot }: Invocation,
): Promise<{ readonly prompt: string; readonly isInstalled: boolean }> {
  const { resolveCommands } = await import("../../claude/commands.ts");
  const { shippedCommands } = await import("../shipped-commands.ts");
  const shipped = await shippedCommands(packageRoot);
  const config = env["CLAUDE_CONFIG_DIR"];
  const { found } = await resolveCommands([COMMAND], {
    cwd: root,
    root,
    home: env["HOME"] ?? "/nonexistent",
    ...(config === undefined ? {} : { configDirectory: config }),
    shipped: new Map(),
  });
  if (found.has(COMMAND)) return { prompt: `/${COMMAND} ${branch}`, isInstalled: true };
  const text = shipped.get(COMMAND)?.text ?? "";
  const body = text.replace(/^---\n[\s\S]*?\n---\n/, "");
  return { prompt: body.replaceAll("$ARGUMENTS", branch).trim(), isInstalled: true };
}
