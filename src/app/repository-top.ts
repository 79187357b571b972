/** The repository that `mmm init` and `mmm analyze` are for. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { gitRecords } from "../context/git-facts.ts";
import { MmmError } from "../errors.ts";
import { findRepository } from "../git/repository.ts";
import { shellWord } from "../lib/shell-word.ts";
import type { Invocation } from "./cook-request.ts";

/** `--path` as typed, `~/` expanded; `null`: where mmm was started. */
export function directoryOf(
  typed: string | null,
  { cwd, env }: Pick<Invocation, "cwd" | "env">,
): string {
  const home = env["HOME"];
  if (typed?.startsWith("~/") === true && home !== undefined)
    return path.join(home, typed.slice(2));
  return path.resolve(cwd, typed ?? ".");
}

/**
 * Top of the working tree around `cwd`; one without a commit will do.
 *
 * @throws MmmError exit 3: no such directory, something else of that name, no git, no repository with a working tree, or one that git does not trust
 */
export async function repositoryTop(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const stats = await stat(cwd).catch(() => null);
  if (stats === null) {
    throw new MmmError("no-directory", 3, {
      message: `there is no directory ${cwd}`,
      next: [`mkdir -p ${shellWord(cwd)}`],
    });
  }
  if (!stats.isDirectory()) {
    throw new MmmError("no-directory", 3, {
      message: `${cwd} is not a directory, nothing was written`,
      next: [`mmm init --path ${shellWord(path.dirname(cwd))}`],
    });
  }
  const answer = await gitRecords(cwd, ["rev-parse", "--show-toplevel"]);
  if (!answer.started) {
    throw new MmmError("no-git", 3, {
      message: `git could not be started in ${cwd}`,
      next: ["git --version"],
    });
  }
  const top = answer.records[0]?.replace(/\n$/u, "");
  if (!answer.ok || top === undefined || top === "") {
    await refuseForeign(cwd, env);
    throw new MmmError("no-repository", 3, {
      message: `${cwd} is not inside a git repository with a working tree, nothing was written`,
      next: ["git init"],
    });
  }
  return top;
}

/** A repository that is there and that git does not trust wants another advice than none. */
async function refuseForeign(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const trouble = await findRepository(cwd, env).catch((error: unknown) => error);
  const codes = ["repository-owner", "repository-broken"];
  if (trouble instanceof MmmError && codes.includes(trouble.code)) throw trouble;
}
