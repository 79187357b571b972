/** A session's worktree and those of its inputs, as git has them. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { findRepository, type RepositoryStart } from "../../../src/git/repository.ts";
import { openTree, type SessionTree } from "../../../src/git/tree.ts";
import { addWorktree } from "../../../src/git/worktree.ts";
import type { TempRepo } from "../../support/temp-repo.ts";

export const SESSION = "mmm-x-1";

export interface Opened {
  readonly repo: TempRepo;
  /** Of the main checkout. */
  readonly here: RepositoryStart;
  /** Of the session's worktree. */
  readonly own: RepositoryStart;
  /** Where a worktree of that name lies. */
  readonly placeOf: (name: string) => string;
}

export async function openSession(repo: TempRepo): Promise<Opened> {
  const here = await findRepository(repo.root, repo.env);
  const placeOf = (name: string): string => path.join(path.dirname(here.root), "trees", name);
  const commit = here.head;
  const own = await addWorktree(here, { path: placeOf(SESSION), branch: SESSION, commit });
  return { repo, here, own, placeOf };
}

/** On a branch of the same name, from where the session's branch stands. */
export async function addInput(
  { repo, own, placeOf }: Opened,
  name: string,
): Promise<RepositoryStart> {
  const commit = await repo.git("rev-parse", SESSION);
  return addWorktree(own, { path: placeOf(name), branch: name, commit });
}

export async function treeAt(start: RepositoryStart, session: string): Promise<SessionTree> {
  return openTree({ start, session, ready: { protectedPaths: [], saved: [] } });
}

/** A commit in a worktree; its name. */
export async function commitIn(
  repo: TempRepo,
  place: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(place, file), text);
  await repo.git("-C", place, "add", "-A");
  await repo.git("-C", place, "commit", "-qm", `in ${path.basename(place)}`);
  return repo.git("-C", place, "rev-parse", "HEAD");
}
