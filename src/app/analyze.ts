/** `mmm analyze`: makes `.mmm/context` when it does not fit any more, and shows it (spec 2.7). */
import path from "node:path";
import { createAnalysis } from "../context/analysis.ts";
import { gitRecords } from "../context/git-facts.ts";
import { excludeOwnState } from "../git/exclude.ts";
import { readConfig } from "./config.ts";
import type { Invocation } from "./cook-request.ts";
import { repositoryTop } from "./repository-top.ts";
import { mainRootOf } from "./world.ts";

/** As for an `analyze` step that says nothing else. */
const MAX_AGE_MS = 300_000;

/** Rejects with `MmmError`: exit 2, the config is wrong; exit 3, no repository, or `.mmm/context` cannot be written. */
export async function analyze(
  request: {
    readonly format: "summary" | "json";
    /** Make it again though it fits. */
    readonly force: boolean;
    /** As typed; `null`: where mmm was started. */
    readonly path: string | null;
  },
  invocation: Invocation,
): Promise<number> {
  const { cwd, env, stdout } = invocation;
  const root = await repositoryTop(path.resolve(cwd, request.path ?? "."), env);
  const common = await gitRecords(root, [
    "rev-parse",
    "--path-format=absolute",
    "--git-common-dir",
  ]);
  const commonDir = common.records[0]?.replace(/\n$/u, "") ?? "";
  const { project } = await readConfig(invocation, mainRootOf({ root, commonDir }));
  if (common.ok && commonDir !== "") await excludeOwnState(commonDir);
  const analysis = createAnalysis({
    root,
    clock: { now: () => new Date() },
    commands: project,
  });
  const { text } = await analysis.refresh({
    maxCacheAgeMs: MAX_AGE_MS,
    forceRefresh: request.force,
    save: true,
    format: request.format,
  });
  stdout.write(text);
  return 0;
}
