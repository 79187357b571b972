/** What the commits of a repository hold, whatever branch, tag or ref of mmm's own they are on. */
import { gitFailed } from "./run.ts";
import { type SharedRepository, tryGit } from "./worktree.ts";

/** Names of all objects that a ref leads to. */
export async function committedObjects(shared: SharedRepository): Promise<ReadonlySet<string>> {
  const args = ["rev-list", "--objects", "--no-object-names", "--all"];
  const result = await tryGit(shared, args);
  if (result.code !== 0) throw gitFailed(args, result);
  return new Set(result.stdout.toString("latin1").split("\n"));
}
