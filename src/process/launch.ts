import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { closeSync } from "node:fs";
import type { Readable } from "node:stream";

import { explainStartError, troubleBeforeStart } from "./not-started.ts";
import type { Launch } from "./not-started.ts";
import { openInput, openPipe } from "./pipe.ts";
import type { ChildPipe } from "./pipe.ts";

/** A child that runs, and where its output can be read. */
export interface Launched {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly stdout: Readable;
  /** `null`: goes through stdout's pipe, in order. */
  readonly stderr: Readable | null;
}

export interface LaunchOptions extends Launch {
  /** `null`: empty and closed. */
  readonly stdin: string | null;
  /** One pipe for both streams where the system allows it. */
  readonly merge: boolean;
}

/** The running child, or in one sentence why there is none. */
export async function launch(options: LaunchOptions): Promise<Launched | string> {
  const trouble = troubleBeforeStart(options);
  if (trouble !== null) return trouble;
  const input = options.stdin === null ? null : openInput(options.stdin);
  if (typeof input === "string") return input;
  const out = openPipe();
  const err = options.merge ? out : openPipe();
  const pipes = [...new Set([out, err])].filter((pipe) => pipe !== null);
  const descriptors = pipes.map((pipe) => pipe.writer);
  try {
    if (input !== null) descriptors.push(input);
    const child = start(options, [input ?? "ignore", out?.writer ?? "pipe", err?.writer ?? "pipe"]);
    if (child.pid === undefined) throw await startError(child);
    return { child, pid: child.pid, ...streamsOf(child, out, err) };
  } catch (error) {
    for (const pipe of pipes) pipe.reader.destroy();
    return explainStartError(error as NodeJS.ErrnoException, options);
  } finally {
    // The child has its own copies; the pipe ends when the last writer does.
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

function streamsOf(
  child: ChildProcess,
  out: ChildPipe | null,
  err: ChildPipe | null,
): Pick<Launched, "stdout" | "stderr"> {
  const stdout = out?.reader ?? child.stdout;
  if (stdout === null) throw new Error("no pipe for its output");
  const isMerged = out !== null && out === err;
  return { stdout, stderr: isMerged ? null : (err?.reader ?? child.stderr) };
}

function start(options: LaunchOptions, stdio: StdioOptions): ChildProcess {
  return spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    // A session of its own: the terminal's Ctrl-C reaches mmm alone, which ends the tree in order.
    detached: true,
    stdio,
  });
}

/** Some reasons are thrown by `spawn`, others come as an event. */
function startError(child: ChildProcess): Promise<Error> {
  return new Promise((resolve) => child.once("error", resolve));
}
