/** What mmm keeps under `.mmm/` for itself (spec 7): in no commit, no tree of ours, no recording. */

/** Lines for git's `info/exclude`; the same set as {@link isOwnState}. */
export const OWN_STATE_LINES = [
  // Also what was damaged, and what a killed mmm was about to put in its place.
  "/.mmm/state.json*",
  "/.mmm/sessions/",
  "/.mmm/context/",
  "/.mmm/*.lock",
] as const;

/** @param path relative to the repository, `/` between folders */
export function isOwnState(path: string): boolean {
  return /^\.mmm\/(?:state\.json[^/]*$|sessions\/|context\/|[^/]*\.lock$)/u.test(path);
}
