/** The world as a lane sees it: what steers the run is answered from the lane's past first (spec 7). */
import type { Run } from "./context.ts";
import { cutOf } from "./cut-short.ts";
import type { EventSink } from "./events.ts";
import type { Lane, RestartReason } from "./lane.ts";
import type {
  AnalysisPort,
  ClaudePort,
  ClaudeReport,
  CommitOutcome,
  Ports,
  ShellPort,
  ShellReport,
  StorePort,
  TreeLook,
  TreePoint,
  TreePort,
} from "./ports.ts";

/** How the lane tells that the tree went back to where the unit that was cut short began. */
export type TellRestart = (restart: {
  readonly point: TreePoint;
  readonly kept: string;
  readonly paths: readonly string[];
  readonly why: RestartReason;
}) => void;

export interface LanePorts {
  readonly ports: Ports;
  readonly sink: EventSink;
}

/** What of a run is the lane's own. */
export function unitsOf(lane: Lane): Pick<Run, "nextUnit" | "runUnit" | "isLive" | "signal"> {
  return {
    nextUnit: (path) => lane.unit(path),
    runUnit: (unit, times) => lane.runUnit(unit, times),
    isLive: () => lane.isLive,
    signal: lane.signal,
  };
}

/** @param directory of the session: paths in answers are kept relative to it */
export function lanePorts(
  ports: Ports,
  lane: Lane,
  options: { readonly directory: string; readonly tell: TellRestart },
): LanePorts {
  const tree = laneTree(ports.tree, lane, options.tell);
  /** A process may leave anything: the tree before it must be known to whoever resumes. */
  const mark = async (): Promise<void> => {
    await restart(ports.tree, lane, options.tell);
    const look = lane.look ?? (await tree.look());
    if (lane.point === null) await tree.mark(look);
  };
  return {
    ports: {
      clock: {
        ...ports.clock,
        // What was waited for once is not waited for again.
        sleep: (ms, signal) =>
          lane.isLive ? ports.clock.sleep(ms, signal) : Promise.resolve(undefined),
      },
      random: {
        fraction: () => lane.answer("random", { live: () => ports.random.fraction() }),
      },
      shell: laneShell(ports.shell, lane, mark),
      claude: laneClaude(ports.claude, lane, { mark, directory: options.directory }),
      tree,
      store: laneStore(ports.store, lane, options.directory),
      analysis: laneAnalysis(ports.analysis, lane),
      project: {
        commands: () => lane.answer("project", { live: () => ports.project.commands() }),
        coverage: (file) => lane.answer("coverage", { live: () => ports.project.coverage(file) }),
      },
    },
    sink: {
      event: (event) => lane.event(event),
      aside: (event) => lane.aside(event),
      live: (event) => lane.live(event),
    },
  };
}

function laneTree(tree: TreePort, lane: Lane, tell: TellRestart): TreePort {
  const ask = async <T>(call: string, live: () => Promise<T>): Promise<T> => {
    await restart(tree, lane, tell);
    return lane.answer(call, { live });
  };
  const pointed = async (call: string, live: () => Promise<TreePoint>): Promise<TreePoint> => {
    const point = await ask(call, live);
    lane.marked(point);
    return point;
  };
  const look = async (): Promise<TreeLook> => {
    const seen = await ask("look", () => tree.look());
    lane.seen(seen);
    return seen;
  };
  return {
    root: tree.root,
    look,
    mark: (seen) => pointed("mark", () => tree.mark(seen)),
    snapshot: () => pointed("snapshot", () => tree.snapshot()),
    movement: (from, to) => ask("movement", () => tree.movement(from, to)),
    commitsBetween: (from, to) => ask("commits", () => tree.commitsBetween(from, to)),
    filesSince: (from, to) => ask("files", () => tree.filesSince(from, to)),
    sameTree: (from, to) => ask("same", () => tree.sameTree(from, to)),
    commit: async (request, signal) => {
      await restart(tree, lane, tell);
      return lane.answer<CommitOutcome>("commit", {
        live: async (isFirst) => {
          // mmm may have been killed after the commit and before it could say so.
          const from = lane.look?.head;
          const made = isFirst && from !== undefined ? await tree.madeBefore(request, from) : null;
          return made === null ? tree.commit(request, signal) : { kind: "committed", ...made };
        },
        recalled: ({ kind }) => {
          if (kind === "committed") tree.recalled(request);
          return undefined;
        },
        isDefinite: ({ kind }) => kind === "committed" || kind === "nothing",
      });
    },
    madeBefore: (request, from) => tree.madeBefore(request, from),
    hasProtected: tree.hasProtected,
    recalled: (request) => tree.recalled(request),
    keepFailed: () => ask("keep", () => tree.keepFailed()),
    keepCommit: (commit) => ask("keep-commit", () => tree.keepCommit(commit)),
    rollback: async (point) => {
      await ask("rollback", async () => {
        await tree.rollback(point);
        return null;
      });
    },
    exists: (path) => ask("exists", () => tree.exists(path)),
    directoryInside: (path) => ask("directory", () => tree.directoryInside(path)),
  };
}

/** Before anything else is done live: what the unit that was cut short left is kept and undone. */
async function restart(tree: TreePort, lane: Lane, tell: TellRestart): Promise<void> {
  const point = lane.takeRestart();
  if (point !== null) await goBack(tree, point, (back) => tell({ ...back, why: lane.why }));
}

/** The same for a run that a limit has cut short, in the process that makes it again. */
export async function startOver(tree: TreePort, lane: Lane, tell: TellRestart): Promise<void> {
  const { point } = lane;
  if (point !== null && !lane.signal.aborted)
    await goBack(tree, point, (back) => tell({ ...back, why: "cut-short" }));
}

async function goBack(
  tree: TreePort,
  point: TreePoint,
  tell: (back: Omit<Parameters<TellRestart>[0], "why">) => void,
): Promise<void> {
  const now = await tree.look();
  const stands = now.head === point.head && now.branch === point.branch;
  if (stands && (await tree.sameTree(point, now))) return;
  const paths = (await tree.filesSince(point, now)).map(({ path }) => path);
  const kept = await tree.keepFailed();
  await tree.rollback(point);
  tell({ point, kept, paths });
}

function laneShell(shell: ShellPort, lane: Lane, mark: () => Promise<void>): ShellPort {
  return {
    run: async (request, signal) => {
      await mark();
      return lane.answer<ShellReport>("shell", {
        live: () => shell.run(request, signal),
        isDefinite: ({ end }) => end.kind !== "cancelled",
        slim: (report) => ({ ...report, tail: "" }),
      });
    },
  };
}

function laneClaude(
  claude: ClaudePort,
  lane: Lane,
  { mark, directory }: { readonly mark: () => Promise<void>; readonly directory: string },
): ClaudePort {
  return {
    run: async (request, signal) => {
      await mark();
      const report = await lane.answer<ClaudeReport>("claude", {
        live: () => claude.run(request, signal),
        recalled: () => claude.recalled?.(request),
        isDefinite: ({ end }) => end.kind !== "cancelled",
        isVoid: (each) => cutOf(each, request) !== null,
        // The text lies in its file; a journal is no place for a megabyte.
        slim: (each) => ({
          ...each,
          text: "",
          tail: "",
          textFile: within(directory, each.textFile),
        }),
      });
      return { ...report, textFile: outOf(directory, report.textFile) };
    },
  };
}

function laneStore(store: StorePort, lane: Lane, directory: string): StorePort {
  return {
    file: (kind, unit) => store.file(kind, unit),
    writeOutput: async (name, content) =>
      outOf(
        directory,
        await lane.answer("output", {
          live: async () => within(directory, await store.writeOutput(name, content)),
        }),
      ),
    size: (file) => store.size(file),
    read: (file) => store.read(file),
    readPiece: (file, from, bytes) => store.readPiece(file, from, bytes),
  };
}

function laneAnalysis(analysis: AnalysisPort, lane: Lane): AnalysisPort {
  // What is gone through again makes no analysis: it stays where it is.
  let known: ReturnType<AnalysisPort["location"]> | null = null;
  return {
    refresh: (options) => lane.answer("analysis", { live: () => analysis.refresh(options) }),
    location: () => (lane.isLive ? analysis.location() : (known ??= analysis.location())),
  };
}

function within(directory: string, file: string): string {
  return file.startsWith(`${directory}/`) ? file.slice(directory.length + 1) : file;
}

function outOf(directory: string, file: string): string {
  return file.startsWith("/") ? file : `${directory}/${file}`;
}
