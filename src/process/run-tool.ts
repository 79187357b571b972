import type { ProcessEnd } from "../engine/outcome.ts";
import { ownChildren } from "./children.ts";
import type { EnvironmentChanges } from "./environment.ts";
import { Tail } from "./output.ts";

export interface ToolOptions {
  readonly cwd: string;
  readonly env?: EnvironmentChanges;
  /** Standard input; left out: empty and closed. */
  readonly input?: string;
  /** 60 000 when left out. */
  readonly timeoutMs?: number;
  /** Of stdout; 64 MiB when left out. More is read and dropped, and `truncated` says so. */
  readonly maxBytes?: number;
  /** Gets stdout as it comes; then nothing is kept and `maxBytes` does not count. */
  readonly onStdout?: (chunk: Buffer) => void;
  readonly signal?: AbortSignal;
}

export interface ToolReport {
  readonly end: ProcessEnd;
  readonly stdout: Buffer;
  /** The last 64 KiB. */
  readonly stderr: string;
  /** stdout was longer than `maxBytes`; what is there is its beginning. */
  readonly truncated: boolean;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const NEVER = new AbortController().signal;

/** Runs a tool quietly (git, `claude --version`), bounded in time and output. Never rejects. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<ToolReport> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const chunks: Buffer[] = [];
  let kept = 0;
  let truncated = false;
  const stderr = new Tail();
  const { end } = await ownChildren.start(
    {
      command,
      args,
      cwd: options.cwd,
      env: options.env ?? {},
      stdin: options.input ?? null,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      onStdout: (chunk) => {
        if (options.onStdout !== undefined) {
          options.onStdout(chunk);
          return;
        }
        const part = chunk.subarray(0, maxBytes - kept);
        truncated ||= part.length < chunk.length;
        if (part.length === 0) return;
        kept += part.length;
        chunks.push(part);
      },
      onStderr: (chunk) => stderr.push(chunk),
    },
    options.signal ?? NEVER,
  );
  return { end, stdout: Buffer.concat(chunks), stderr: stderr.text(), truncated };
}
