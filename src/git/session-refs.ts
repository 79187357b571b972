/** What mmm keeps in git for a session: `refs/mmm/failed/<session>/...` and `refs/mmm/snap/<session>` (spec 5). */
import { type Place, plumb } from "./place.ts";

/** Full names, by session; what its inputs at once have kept is its own. One process for all of them. */
export async function sessionRefs(place: Place): Promise<ReadonlyMap<string, readonly string[]>> {
  const output = await plumb(place, {
    args: ["for-each-ref", "--format=%(refname)", "refs/mmm/failed/", "refs/mmm/snap/"],
  });
  const found = new Map<string, string[]>();
  for (const ref of output.toString("utf8").split("\n")) {
    const session = /^refs\/mmm\/(?:failed|snap)\/([^/]+?)(?:-i\d+)?(?:\/|$)/.exec(ref)?.[1];
    if (session === undefined) continue;
    const refs = found.get(session) ?? [];
    refs.push(ref);
    found.set(session, refs);
  }
  return found;
}

/** All of them or none; one that is gone already is fine. */
export async function deleteRefs(place: Place, refs: readonly string[]): Promise<void> {
  if (refs.length === 0) return;
  await plumb(place, {
    args: ["update-ref", "-z", "--stdin"],
    stdin: refs.map((ref) => `delete ${ref}\0\0`).join(""),
  });
}
