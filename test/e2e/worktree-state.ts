/** What worktrees of sessions leave in a repository and beside it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Rig } from "./rig.ts";

/** The folder of the project's worktrees. */
export function project(rig: Rig, name = "repo"): string {
  return path.join(rig.repo.home, ".mmm", "worktrees", name);
}

export function sessionsIn(rig: Rig, name = "repo"): readonly string[] {
  const folder = project(rig, name);
  return existsSync(folder) ? readdirSync(folder).filter((each) => each !== ".repository") : [];
}

export async function leftovers(rig: Rig): Promise<Record<string, readonly string[]>> {
  const lines = async (...args: string[]): Promise<readonly string[]> =>
    (await rig.repo.git(...args)).split("\n").filter((line) => line !== "");
  const records = path.join(rig.repo.root, ".git", "worktrees");
  return {
    branches: await lines("for-each-ref", "--format=%(refname:short)", "refs/heads"),
    records: existsSync(records) ? readdirSync(records) : [],
    folders: sessionsIn(rig),
  };
}

export const NOTHING_LEFT = { branches: ["main"], records: [], folders: [] };

/** Everything of git's that a merge may touch. */
export async function stateOf(rig: Rig): Promise<unknown> {
  return {
    refs: await rig.repo.git("for-each-ref"),
    status: await rig.repo.git("status", "--porcelain"),
    head: await rig.repo.git("rev-parse", "HEAD"),
    index: readFileSync(path.join(rig.repo.root, ".git", "index")).toString("base64"),
    ...(await leftovers(rig)),
  };
}
