/**
 * A scripted stand-in for the Anthropic Messages API in a process of its own, for the real CLI.
 *
 * Turns are given out in order, one for each request of the conversation; side calls use none up. A request
 * too many gets a 400, so that a script that does not fit fails its test. A test asserts that `turnsGiven`
 * is the number of turns and that no request has the kind `exhausted`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

export interface StandInScript {
  readonly turns: readonly StandInTurn[];
  /** For turns that have none of their own; default 100 input, 20 output tokens. */
  readonly usage?: Readonly<Record<string, number>>;
}

/** What the model says and wants; or, with one of the faults, what goes wrong. */
interface StandInTurn {
  readonly thinking?: string;
  readonly text?: string;
  readonly toolUse?: StandInToolUse | readonly StandInToolUse[];
  /** Default: `tool_use` with a tool, else `end_turn`. */
  readonly stopReason?: string;
  readonly usage?: Readonly<Record<string, number>>;
  /** Given this many times, for faults that the CLI repeats; default 1. */
  readonly times?: number;
  readonly delayMs?: number;
  readonly eventDelayMs?: number;
  /** An HTTP status with the API's own error body. */
  readonly error?:
    | number
    | {
        readonly status: number;
        readonly message?: string;
        readonly headers?: Readonly<Record<string, string>>;
      };
  /** No answer until the client gives up. */
  readonly hang?: true;
  /** The connection is reset before the answer. */
  readonly reset?: true;
  /** The connection is reset after so many events of the stream. */
  readonly truncateAfter?: number;
  /** An error event inside a stream with status 200. */
  readonly streamError?: { readonly type: string; readonly message: string };
}

interface StandInToolUse {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface StandInRequest {
  readonly kind: "turn" | "side" | "exhausted";
  /** Index into the turns. */
  readonly turn: number | null;
  readonly model: string;
  readonly tools: readonly string[];
  /** The last 8 000 characters of the last user message: tool results, or the prompt. */
  readonly lastUser: string;
  /** How many messages the conversation has so far. */
  readonly messages: number;
  /** The system prompt. */
  readonly system: string;
  /** What a structured answer must look like; `null`: none was asked for. */
  readonly schema: unknown;
  readonly authorized: boolean;
}

export interface StandIn {
  readonly url: string;
  readonly pid: number;
  /** Requests of the conversation and beside it, in order. */
  requests(): Promise<readonly StandInRequest[]>;
  stop(): Promise<void>;
}

const server = fileURLToPath(new URL("api-stand-in/server.mjs", import.meta.url));

/**
 * @param directory for script and log; `launcher`: put before `node server.mjs ...`, to run it in a network
 *   namespace. It must become the server (`exec`), so that `pid` is the server's.
 */
export async function startStandIn(
  script: StandInScript,
  { directory, launcher = [] }: { directory: string; launcher?: readonly string[] },
): Promise<StandIn> {
  const scriptFile = path.join(directory, "script.json");
  const logFile = path.join(directory, "requests.jsonl");
  await fs.writeFile(scriptFile, JSON.stringify(script));
  // `env` becomes what it starts: it is only there so that the first word may be the launcher's.
  const child = spawn("env", [...launcher, process.execPath, server, scriptFile, logFile], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // Ends with this process: its standard input is closed then.
  const exited = once(child, "exit");
  const first = await Promise.race([once(child.stdout, "data"), exited]);
  const url = String(first[0]).trim();
  if (!url.startsWith("http") || child.pid === undefined)
    throw new Error(`the stand-in did not start: ${url}`);

  return {
    url,
    pid: child.pid,
    requests: async () =>
      (await fs.readFile(logFile, "utf8"))
        .split("\n")
        .filter((line) => line.startsWith('{"event":"request"'))
        .map((line) => JSON.parse(line) as StandInRequest),
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
