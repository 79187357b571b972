/** The real ports of a session, put together (architecture: `main → the world`). */
import { existsSync, realpathSync } from "node:fs";
import { performance } from "node:perf_hooks";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ClaudePort, Clock, Ports, ProjectCommands, TreePort } from "../engine/ports.ts";
import { MmmError } from "../errors.ts";
import type { Redactor } from "../lib/redact.ts";
import type { RepositoryStart } from "../git/repository.ts";
import type { Children } from "../process/children.ts";
import { readerOf } from "./slow-reader.ts";
import { createShellPort } from "../process/shell-port.ts";
import { openStore } from "../session/store.ts";
import { shellWord } from "../lib/shell-word.ts";

export const systemClock: Clock = {
  now: () => new Date(),
  // Whole milliseconds: that is what events, state and people show.
  monotonicMs: () => Math.round(performance.now()),
  msUntil: (time) => Date.parse(time) - Date.now(),
  sleep: async (ms, signal) => {
    const until = Date.now() + ms;
    // By the clock on the wall: a computer that was asleep wakes up late, not with the whole wait before it.
    for (let left = ms; left > 0 && !signal.aborted; left = until - Date.now())
      await delay(Math.min(left, LONGEST_NAP_MS), undefined, { signal }).catch(() => undefined);
  },
};

const LONGEST_NAP_MS = 30_000;

export interface WorldParts {
  readonly start: RepositoryStart;
  readonly tree: TreePort;
  readonly children: Children;
  readonly claude: ClaudePort;
  /** Absolute path of `.mmm/sessions/<name>`. */
  readonly directory: string;
  readonly mainRoot: string;
  /** Where live output goes. */
  readonly stdout: NodeJS.WriteStream;
  readonly skipAnalysis: boolean;
  readonly redactor: Redactor;
  /** Where steps run. */
  readonly cwd: string;
  /** `project:` of the config. */
  readonly project: Partial<ProjectCommands>;
  /** Of this mmm. */
  readonly version: string;
}

export async function buildPorts(parts: WorldParts): Promise<Ports> {
  const inTree = await portsInTree(parts);
  return {
    clock: systemClock,
    random: { fraction: () => Promise.resolve(Math.random()) },
    shell: createShellPort(parts.children, readerOf(parts.stdout), parts.redactor),
    claude: parts.claude,
    store: openStore(parts.directory, parts.redactor),
    ...inTree(parts.tree, parts.cwd),
  };
}

/** The ports that belong to one tree, for any tree of the session. */
export async function portsInTree({
  mainRoot,
  project: configured,
  skipAnalysis,
  version,
}: Pick<WorldParts, "mainRoot" | "project" | "skipAnalysis" | "version">): Promise<
  (tree: TreePort, cwd: string) => Pick<Ports, "tree" | "analysis" | "project">
> {
  const { createAnalysis } = await import("../context/analysis.ts");
  const { createProject } = await import("../context/project-port.ts");
  return (tree, cwd) => {
    const { root } = tree;
    const setup = { root, mainRoot, clock: systemClock, commands: configured, version };
    const analysis = createAnalysis(setup);
    const nothing = async () => Promise.resolve({ text: "", fresh: false });
    return {
      tree,
      analysis: skipAnalysis ? { ...analysis, refresh: nothing } : analysis,
      project: createProject({ root, cwd, configured }),
    };
  };
}

/** For playbooks without a Claude step: nobody asks it, and saying so beats a crash. */
export const noClaude: ClaudePort = {
  run: () => {
    throw new MmmError("claude-missing", 3, { message: "this run was started without claude" });
  },
};

/** One session a working tree: the lock lies in the tree itself, not in the main repository (spec 7). */
export function lockFile(start: RepositoryStart): string {
  return path.join(start.root, ".mmm", "session.lock");
}

/** Where `.mmm/` lies: the main repository, also for a linked worktree (spec 7). */
export function mainRootOf(start: Pick<RepositoryStart, "root" | "commonDir">): string {
  return path.basename(start.commonDir) === ".git" ? path.dirname(start.commonDir) : start.root;
}

/** The start of a git line to type: paths such as `.` mean the top of the tree only there. */
export function gitFrom(cwd: string, root: string): string {
  // With `--path`, where mmm was started may be gone by now.
  const stands = existsSync(cwd) && realpathSync(cwd) === root;
  return stands ? "git" : `git -C ${shellWord(root)}`;
}
