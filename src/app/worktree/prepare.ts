/** Runs what `worktree: {run: [...]}` says in a fresh worktree (spec 8.1). */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { MmmError } from "../../errors.ts";
import type { Redactor } from "../../lib/redact.ts";
import { ownChildren } from "../../process/children.ts";
import { createShellPort } from "../../process/shell-port.ts";

export interface Preparing {
  readonly run: readonly string[];
  /** Top of the worktree. */
  readonly root: string;
  readonly session: string;
  /** Absolute; of the session: logs go there. */
  readonly directory: string;
  /** Begins the names of its logs. */
  readonly unit: string;
  readonly redactor: Redactor;
  readonly tell: (message: string) => void;
  /** What to type once the commands are mended. */
  readonly goesOn: string;
}

/** `false`: mmm was told to stop. Throws `MmmError` (exit 3) when a command fails. */
export async function prepareWorktree(of: Preparing, signal: AbortSignal): Promise<boolean> {
  if (of.run.length === 0) return true;
  const shell = createShellPort(ownChildren, undefined, of.redactor);
  const logs = path.join(of.directory, "logs");
  mkdirSync(logs, { recursive: true });
  for (const [index, script] of of.run.entries()) {
    if (signal.aborted) return false;
    of.tell(`preparing the worktree: ${script.split("\n", 1)[0] ?? ""}`);
    const { end, tail } = await shell.run(
      {
        script,
        stdin: null,
        cwd: of.root,
        env: { MMM_AUTOMATION: "true", MMM_SESSION: of.session, PROJECT_ROOT: of.root },
        timeoutMs: null,
        logFile: path.join(logs, `${of.unit}.${index + 1}.log`),
        splitFiles: null,
      },
      signal,
    );
    if (end.kind === "cancelled") return false;
    if (end.kind !== "exited" || end.code !== 0) throw notPrepared(script, tail, of.goesOn);
  }
  return true;
}

/** The log may be gone with the worktree: its end is all there is. */
function notPrepared(script: string, tail: string, goesOn: string): MmmError {
  const lines = tail.trimEnd().split("\n").slice(-20);
  const said = lines.map((line) => (line === "" ? "" : `\n  ${line}`)).join("");
  return new MmmError("worktree-prepare", 3, {
    message: `the worktree could not be prepared: ${script.split("\n", 1)[0] ?? ""}${said}`,
    next: [`mend \`worktree: {run: [...]}\` in the playbook or the config, then ${goesOn}`],
  });
}
