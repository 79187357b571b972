/** Refs of mmm's own: what was undone (`refs/mmm/failed`) and what stood before a step (`refs/mmm/snap`). */
import { type Place, plumb } from "./place.ts";

/**
 * Keeps a commit under the next free `refs/mmm/failed/<session>/<n>`, n from 1, and returns that name.
 * Always numbered: `failed/<session>` and `failed/<session>/2` cannot both exist in git.
 */
export async function keepCommit(place: Place, session: string, commit: string): Promise<string> {
  const folder = `refs/mmm/failed/${session}`;
  const known = await place.client.text("for-each-ref", "--format=%(refname)", `${folder}/`);
  const numbers = known.split("\n").map((name) => Number(name.slice(folder.length + 1)) || 0);
  const ref = `${folder}/${Math.max(0, ...numbers) + 1}`;
  // the old value says that it must be new: two sessions of one name cannot overwrite each other
  await place.client.text("update-ref", ref, commit, place.noObject);
  return ref;
}

/** A commit of `tree` made by mmm itself, so that a missing identity is no obstacle; signs nothing. */
export async function commitTree(
  place: Place,
  commit: { readonly tree: string; readonly parents: readonly string[]; readonly message: string },
): Promise<string> {
  const parents = commit.parents.filter((sha) => sha !== "").flatMap((sha) => ["-p", sha]);
  const sha = await plumb(place, {
    args: ["commit-tree", ...parents, "-m", commit.message, commit.tree],
    env: {
      GIT_AUTHOR_NAME: "mmm",
      GIT_AUTHOR_EMAIL: "mmm@localhost",
      GIT_COMMITTER_NAME: "mmm",
      GIT_COMMITTER_EMAIL: "mmm@localhost",
    },
  });
  return sha.toString("utf8").trim();
}
