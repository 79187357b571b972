/** A checked request becomes a session: folder, lock, journal, reporters, signals, engine (spec 4, 7). */
import { existsSync } from "node:fs";
import path from "node:path";
import type { Run } from "../engine/context.ts";
import type { Event, EventSink } from "../engine/events.ts";
import { runSession, type SessionOutcome } from "../engine/session.ts";
import { openTree } from "../git/tree.ts";
import { ownChildren } from "../process/children.ts";
import { watchSignals } from "../process/signals.ts";
import { chooseColor, chooseReporter } from "../report/choose.ts";
import { createReporter, type Reporter } from "../report/reporter.ts";
import { safeReporter } from "../report/safe-reporter.ts";
import { streamOutput } from "../report/stream-output.ts";
import { openJournal } from "../session/journal.ts";
import { takeLock } from "../session/lock.ts";
import { sessionName } from "../session/name.ts";
import {
  recordBreak,
  recordEnd,
  recordStart,
  scoreOf,
  type SessionSummary,
  writeSession,
} from "../session/state.ts";
import { chooseClaude } from "./choose-claude.ts";
import type { Prepared } from "./cook.ts";
import { buildPorts, gitFrom, lockFile, mainRootOf, systemClock } from "./world.ts";

export async function playSession(prepared: Prepared): Promise<number> {
  const { start, file, request } = prepared;
  const mainRoot = mainRootOf(start);
  const sessions = path.join(mainRoot, ".mmm", "sessions");
  const now = systemClock.now();
  const name = sessionName(file.absolute, now, (taken) => existsSync(path.join(sessions, taken)));
  const directory = path.join(sessions, name);
  const claude = await chooseClaude(prepared, directory);
  const lock = await takeLock(lockFile(start), {
    session: name,
    owner: ownChildren.owner,
    now,
  });
  try {
    const tree = await openTree({ start, session: name, ready: prepared.ready });
    await tree.exclude();
    const ports = await buildPorts({
      start,
      tree,
      children: ownChildren,
      claude: claude.port,
      directory,
      mainRoot,
      stdout: prepared.invocation.stdout,
      skipAnalysis: request.skipAnalysis,
    });
    const words = [
      ...(lock.note === null ? [] : [lock.note]),
      ...(file.shipped
        ? [`${request.playbook ?? ""} is not here; taking the one that mmm ships`]
        : []),
      ...claude.notes,
      ...prepared.lookup.warnings,
    ];
    return await record(prepared, { ports, name, words, now, gone: lock.gone });
  } finally {
    // Finishing throws when the recording cannot be put in its place.
    await claude.finish().finally(() => lock.release());
  }
}

interface Opened {
  readonly ports: Run["ports"];
  readonly name: string;
  readonly words: readonly string[];
  readonly now: Date;
  /** A session that was killed in this tree. */
  readonly gone: string | null;
}

/** Keeps journal, state and reporters around the run. */
async function record(prepared: Prepared, opened: Opened): Promise<number> {
  const mmm = path.join(mainRootOf(prepared.start), ".mmm");
  const directory = path.join(mmm, "sessions", opened.name);
  let summary: SessionSummary = {
    name: opened.name,
    playbook: prepared.file.shown,
    startedAt: opened.now.toISOString(),
  };
  const stateFile = path.join(mmm, "state.json");
  const journal = openJournal(path.join(directory, "journal.jsonl"), () => systemClock.now());
  const reporter = openReporter(prepared);
  const sink: EventSink = {
    event: (event) => {
      const score = scoreOf(event);
      if (score !== undefined) summary = { ...summary, score };
      journal.append(event);
      reporter.event(event);
    },
    live: (event) => reporter.live(event),
  };
  try {
    const damaged = recordStart(stateFile, summary, opened.gone);
    writeSession(path.join(directory, "session.json"), summary, null, null);
    for (const message of [...opened.words, ...(damaged === null ? [] : [damaged])]) {
      sink.event({ type: "note", severity: "warning", message });
    }
    const end = await play(prepared, { ...opened, sink, directory });
    const endedAt = systemClock.now().toISOString();
    writeSession(path.join(directory, "session.json"), summary, end, endedAt);
    recordEnd(stateFile, summary, end, endedAt);
    return end.exitCode;
  } catch (error) {
    noteBreak({ state: stateFile, session: path.join(directory, "session.json") }, summary, error);
    throw error;
  } finally {
    reporter.close();
    journal.close();
  }
}

/** As well as the broken surroundings allow: the error itself is what the user has to see. */
function noteBreak(
  files: { readonly state: string; readonly session: string },
  summary: SessionSummary,
  error: unknown,
): void {
  const message = error instanceof Error ? error.message : String(error);
  try {
    recordBreak(files, summary, { message, endedAt: systemClock.now().toISOString() });
  } catch {
    // A full disk stopped the run, and now it stops this note; the journal has what happened before.
  }
}

/** Runs the engine under the signals; no child is alive when it returns. */
async function play(
  prepared: Prepared,
  opened: Opened & { readonly sink: EventSink; readonly directory: string },
): Promise<Extract<Event, { type: "session-finished" }>> {
  const { plan, request, cwd, commit, inputs, invocation } = prepared;
  const watch = watchSignals(() => {
    void ownChildren.endAll(true);
  });
  watch.aborted.addEventListener("abort", () => {
    const message = "stopping: running commands have 5 s to end; once more ends them at once";
    opened.sink.event({ type: "note", severity: "warning", message });
  });
  // Whatever ends mmm itself, a bug included: no child outlives it (spec 11).
  process.on("exit", () => ownChildren.killAllNow());
  let units = 0;
  let finished: Extract<Event, { type: "session-finished" }> | null = null;
  const exitCode = (outcome: SessionOutcome): number => {
    if (outcome.status === "interrupted") return watch.received() === "SIGINT" ? 130 : 143;
    return outcome.status === "completed" ? 0 : 1;
  };
  const run: Run = {
    plan,
    ports: opened.ports,
    sink: {
      event: (event) => {
        if (event.type === "session-finished") finished = event;
        opened.sink.event(event);
      },
      live: (event) => opened.sink.live(event),
    },
    signal: watch.aborted,
    facts: {
      id: opened.name,
      playbook: prepared.file.shown,
      cwd,
      worktree: null,
      directory: opened.directory,
      git: gitFrom(invocation.cwd, prepared.start.root),
      version: invocation.version,
      replay: request.replay,
      environment: invocation.env,
    },
    options: { commit, rollback: request.rollback, failFast: request.failFast },
    toldCommits: new Set(),
    nextUnit: () => (units += 1),
  };
  try {
    await runSession({ run, inputs, exitCode });
  } finally {
    await ownChildren.endAll(watch.aborted.aborted);
    watch.stop();
  }
  if (finished === null) throw new Error("the session ended without an end");
  return finished;
}

function openReporter({ request, invocation }: Prepared): Reporter {
  const { stdout, stderr, env } = invocation;
  const { isTTY } = stdout;
  const kind = chooseReporter({ isTTY, flag: request.reporter, env });
  const reporter = createReporter({
    kind,
    verbosity: request.verbosity,
    emoji: request.emoji,
    color: chooseColor({ isTTY, env }),
    out: streamOutput(stdout, () => undefined),
    err: streamOutput(stderr, () => undefined),
    clock: {
      monotonicMs: () => systemClock.monotonicMs(),
      every: (ms, fn) => {
        const timer = setInterval(fn, ms);
        timer.unref();
        return () => clearInterval(timer);
      },
    },
  });
  return safeReporter(reporter, (error) => {
    const text = error instanceof Error ? error.message : String(error);
    stderr.write(`mmm: the reporter failed and is switched off, the run goes on: ${text}\n`);
  });
}
