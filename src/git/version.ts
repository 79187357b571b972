/** Which git this is, and what one of that age cannot do. */
import { plainEnvironment } from "./environment.ts";
import type { RepositoryStart } from "./repository.ts";
import { runGit } from "./run.ts";

type Version = readonly [major: number, minor: number];

/** `git merge-tree --write-tree`: a merge beside all trees. */
const MERGING: Version = [2, 38];

export const MERGING_VERSION = MERGING.join(".");

/** @param text what `git --version` prints; of another program it is too old */
export function isAtLeast(text: string, [major, minor]: Version): boolean {
  const found = /(\d+)\.(\d+)/u.exec(text);
  const [ours, rest] = [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
  return ours > major || (ours === major && rest >= minor);
}

export function canMerge(text: string): boolean {
  return isAtLeast(text, MERGING);
}

/** What `git --version` prints. */
export async function gitVersion({ root, env }: RepositoryStart): Promise<string> {
  const args = ["--version"];
  const { stdout } = await runGit({ cwd: root, env: plainEnvironment(env), args });
  return stdout.toString("utf8").trim();
}
