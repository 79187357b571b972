import type { RawStatus } from "./status.ts";

/** What a look at the tree would say, for the next one that is asked for; `null`: it has to be taken. */
export type KnownLooks = () => RawStatus | null;

export const nothingKnown: KnownLooks = () => null;

/**
 * A session looks twice before anything runs: as it begins, and as its first iteration does.
 *
 * @param status of a moment ago, and nothing has run since: the first look
 * @param isUntouched asked for the second look, and for no further one
 */
export function knownLooks({
  status,
  isUntouched,
}: {
  readonly status?: RawStatus;
  readonly isUntouched?: () => boolean;
}): KnownLooks {
  if (status === undefined) return nothingKnown;
  let asked = 0;
  return () => {
    asked += 1;
    if (asked === 1) return status;
    return asked === 2 && isUntouched?.() === true ? status : null;
  };
}
