/** `mmm analyze`: makes `.mmm/context` when it does not fit any more, and shows it (spec 2.7). */
import path from "node:path";
import { createAnalysis } from "../context/analysis.ts";
import { gitRecords } from "../context/git-facts.ts";
import { excludeOwnState } from "../git/exclude.ts";
import type { Invocation } from "./cook-request.ts";
import { repositoryTop } from "./repository-top.ts";

/** As for an `analyze` step that says nothing else. */
const MAX_AGE_MS = 300_000;

/** Exit 3 by `MmmError`: no repository, or `.mmm/context` cannot be written. */
export async function analyze(
  request: {
    readonly format: "summary" | "json";
    /** Make it again though it fits. */
    readonly force: boolean;
    /** As typed; `null`: where mmm was started. */
    readonly path: string | null;
  },
  { cwd, env, stdout }: Invocation,
): Promise<number> {
  const root = await repositoryTop(path.resolve(cwd, request.path ?? "."), env);
  const common = await gitRecords(root, [
    "rev-parse",
    "--path-format=absolute",
    "--git-common-dir",
  ]);
  const commonDir = common.records[0]?.replace(/\n$/u, "") ?? "";
  if (common.ok && commonDir !== "") await excludeOwnState(commonDir);
  const analysis = createAnalysis({ root, clock: { now: () => new Date() } });
  const { text } = await analysis.refresh({
    maxCacheAgeMs: MAX_AGE_MS,
    forceRefresh: request.force,
    save: true,
    format: request.format,
  });
  stdout.write(text);
  return 0;
}
