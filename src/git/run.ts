/**
 * One git process: arguments as an array, nothing asked, output bounded, ended with its whole group.
 *
 * For the hot path (`git status` after each step) and for what simple-git cannot do: standard input,
 * an index of our own, ending a commit's hooks. Everything else goes through `client.ts`.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { MmmError } from "../errors.ts";
import { diskAdvice } from "./disk-advice.ts";
import { Silence } from "./silence.ts";

export interface GitRun {
  readonly cwd: string;
  /** The whole environment; see `environment.ts`. */
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly stdin?: Buffer | string;
  /** Ended (group: TERM, after 2 s KILL) when this long nothing was printed; default 10 minutes. */
  readonly quietMs?: number;
  /** Asked once when that time is over: how much longer to wait; 0 ends it. */
  readonly moreMs?: () => Promise<number>;
  readonly signal?: AbortSignal;
  /** Keep only the last 64 KiB of stdout instead of failing over 256 MiB. */
  readonly tailOnly?: boolean;
}

export interface GitResult {
  /** `null`: ended by a signal. */
  readonly code: number | null;
  readonly stdout: Buffer;
  /** The last 64 KiB. */
  readonly stderr: string;
  readonly ended: "by-itself" | "quiet" | "aborted";
  /** The limit that was in force. */
  readonly quietMs: number;
}

const maxStdout = 256 * 1024 * 1024;
const tailBytes = 64 * 1024;
const defaultQuietMs = 10 * 60_000;
const graceMs = 2000;

/** Resolves for any exit code; rejects when git cannot be started or prints more than 256 MiB. */
export async function runGit(run: GitRun): Promise<GitResult> {
  if (run.signal?.aborted === true)
    return { code: null, stdout: Buffer.alloc(0), stderr: "", ended: "aborted", quietMs: 0 };
  return await new Promise((done, fail) => {
    const child = startGit(run);
    const out = new Collector(run.tailOnly === true ? tailBytes : maxStdout, run.tailOnly === true);
    const err = new Collector(tailBytes, true);
    let ended: GitResult["ended"] = "by-itself";
    let grace: NodeJS.Timeout | undefined;
    const end = (why: GitResult["ended"]): void => {
      if (ended !== "by-itself") return;
      ended = why;
      signalGroup(child, "SIGTERM");
      grace = setTimeout(() => signalGroup(child, "SIGKILL"), graceMs);
    };
    const more = run.moreMs ?? (() => Promise.resolve(0));
    const silence = new Silence(run.quietMs ?? defaultQuietMs, more, () => end("quiet"));
    const onAbort = (): void => end("aborted");
    run.signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (): void => {
      silence.stop();
      clearTimeout(grace);
      run.signal?.removeEventListener("abort", onAbort);
    };
    child.stdout?.on("data", (chunk: Buffer) => {
      silence.broken();
      out.add(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      silence.broken();
      err.add(chunk);
    });
    child.on("error", (cause) => {
      settle();
      fail(notStarted(cause, run.cwd));
    });
    // A hook may leave something behind that keeps the pipes open: the exit counts, and what was
    // printed until then; `close` follows at once otherwise.
    child.on("exit", (code) => {
      const finish = (): void => {
        settle();
        child.stdout?.destroy();
        child.stderr?.destroy();
        if (ended !== "by-itself") signalGroup(child, "SIGKILL");
        if (out.overflown) fail(tooMuch(run.args));
        else {
          const { limitMs: quietMs } = silence;
          const stderr = err.whole().toString("utf8");
          done({ code, stdout: out.whole(), stderr, ended, quietMs });
        }
      };
      const linger = setTimeout(finish, graceMs);
      child.on("close", () => {
        clearTimeout(linger);
        finish();
      });
    });
    child.stdin?.on("error", () => undefined); // git ended before it read all: its exit code says why
    child.stdin?.end(run.stdin);
  });
}

function startGit(run: GitRun): ChildProcess {
  return spawn("git", run.args, {
    cwd: run.cwd,
    env: run.env,
    // A group of its own: a terminal's Ctrl-C must not cut a write to the index in half, and hooks
    // have to end together with git.
    detached: true,
    stdio: [run.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
}

/** The same, and anything but exit 0 is thrown as {@link gitFailed}. */
export async function runGitOk(run: GitRun): Promise<Buffer> {
  const result = await runGit(run);
  if (result.code !== 0) throw gitFailed(run.args, result);
  return result.stdout;
}

/** A git command that had to work did not; exit 3: the repository does not fit. */
export function gitFailed(
  args: readonly string[],
  result: { readonly code: number | null; readonly stderr: string },
): MmmError {
  const said = result.stderr.trim().split("\n").slice(-5).join("\n");
  const end = result.code === null ? "was ended" : `exited with ${result.code}`;
  const name = args.find((arg, index) => !arg.startsWith("-") && args[index - 1] !== "-c") ?? "";
  return new MmmError("git-failed", 3, {
    message: `git ${name} ${end}${said === "" ? "" : `: ${said}`}`,
    next: diskAdvice(said) ?? (UNWRITTEN.test(said) ? SEE_ROOM : ["git status", "git fsck"]),
  });
}

/** Of a file of a tree git does not say why. */
const UNWRITTEN = /^error: unable to write file /m;
const SEE_ROOM = ["df -h   (is a disk full?)", "free some space, then run it again"];

/** Collects chunks: the first `limit` bytes, or as `tail` the last. */
class Collector {
  overflown = false;
  private chunks: Buffer[] = [];
  private size = 0;
  private readonly limit: number;
  private readonly tail: boolean;

  constructor(limit: number, tail: boolean) {
    this.limit = limit;
    this.tail = tail;
  }

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.tail) {
      // Rejoined at twice the limit only: linear in what comes.
      if (this.size > 2 * this.limit) this.chunks = [this.whole()];
      this.size = Math.min(this.size, 2 * this.limit);
    } else if (this.size > this.limit) {
      this.overflown = true;
      this.chunks = [];
      this.size = this.limit;
    }
  }

  whole(): Buffer {
    const all = Buffer.concat(this.chunks);
    const kept = this.tail && all.length > this.limit ? all.subarray(all.length - this.limit) : all;
    this.size = kept.length;
    return kept;
  }
}

function signalGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: all of it is gone, which is what was wanted
  }
}

function notStarted(cause: Error, cwd: string): MmmError {
  // Node says the same of a program and of a folder that is not there.
  if (!existsSync(cwd))
    return new MmmError("folder-gone", 3, {
      message: `git has to run in ${cwd}, and that folder is gone`,
      next: ["git worktree list"],
      cause,
    });
  return new MmmError("git-missing", 3, {
    message: `git could not be started in ${cwd} (${cause.message})`,
    next: ["install git 2.31 or newer and see that it is on PATH: git --version"],
    cause,
  });
}

function tooMuch(args: readonly string[]): MmmError {
  return new MmmError("git-output", 3, {
    message: `git ${args.join(" ").slice(0, 200)} printed more than 256 MiB`,
    next: ["add folders of generated files to .gitignore"],
  });
}
