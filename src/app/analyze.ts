/** `mmm analyze`: makes `.mmm/context` when it does not fit any more, and shows it (spec 2.7). */
import { lstat } from "node:fs/promises";
import type { ProjectCommands } from "../engine/ports.ts";
import { createAnalysis } from "../context/analysis.ts";
import { gitRecords } from "../context/git-facts.ts";
import { excludeOwnState } from "../git/exclude.ts";
import { configFiles } from "./config-files.ts";
import type { Invocation } from "./cook-request.ts";
import { directoryOf, repositoryTop } from "./repository-top.ts";
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
  const { env, stdout, version } = invocation;
  const root = await repositoryTop(directoryOf(request.path, invocation), env);
  const common = await gitRecords(root, [
    "rev-parse",
    "--path-format=absolute",
    "--git-common-dir",
  ]);
  const commonDir = common.records[0]?.replace(/\n$/u, "") ?? "";
  const commands = await commandsOf(invocation, mainRootOf({ root, commonDir }));
  if (common.ok && commonDir !== "") await excludeOwnState(commonDir);
  const analysis = createAnalysis({
    root,
    clock: { now: () => new Date() },
    commands,
    version,
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

/** Mostly there is no config, and its reader is more code than all the rest of this. */
async function commandsOf(
  invocation: Invocation,
  mainRoot: string,
): Promise<Partial<ProjectCommands>> {
  const { user, project } = configFiles(invocation.env, mainRoot);
  const found = await Promise.all([user, project].map((file) => lstat(file).catch(() => null)));
  if (found.every((stats) => stats === null)) return {};
  const { readConfig } = await import("./config.ts");
  return (await readConfig(invocation, mainRoot)).project;
}
