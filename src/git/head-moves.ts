/** Who moved HEAD since a session knew it: the session's own unit, or somebody else (spec 7)? */
import { createClient } from "./client.ts";
import { pinnedEnvironment } from "./environment.ts";
import type { RepositoryStart } from "./repository.ts";

export interface HeadNow {
  readonly head: string;
  /** `null`: detached. */
  readonly branch: string | null;
  /** What the reflog says of the oldest move that is not the session's; `null`: all are, or there is none. */
  readonly stranger: string | null;
}

/** How far back the reflog is read: a session's unit makes a few moves, not thousands. */
const MOST_MOVES = 10_000;

/** @param from HEAD as the session knew it last */
export async function headMoves(
  start: RepositoryStart,
  { from, session }: { readonly from: string; readonly session: string },
): Promise<HeadNow> {
  const client = createClient(start.root, pinnedEnvironment(start.env, start));
  const head = (await client.text("rev-parse", "--verify", "HEAD")).trim();
  const branch = await client.answer("symbolic-ref", "--quiet", "--short", "HEAD");
  if (head === from) return { head, branch, stranger: null };
  const log = await client.text(
    "reflog",
    "show",
    `--max-count=${MOST_MOVES}`,
    "--format=%H%x00%gs",
    "HEAD",
    "--",
  );
  let stranger: string | null = null;
  for (const line of log.trimEnd().split("\n")) {
    const [sha = "", move = ""] = line.split("\0");
    if (sha === from) return { head, branch, stranger };
    if (
      sha !== "" &&
      !move.startsWith(`mmm ${session} `) &&
      !/^mmm (?:commit|rollback)\b/.test(move)
    )
      stranger = move;
  }
  // HEAD was never there, as far as this clone remembers.
  return { head, branch, stranger: stranger ?? "unknown" };
}
