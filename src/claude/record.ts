/** `--record`: lets the real Claude work and writes down what it did (spec 6.6). */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { ClaudeActivity, ClaudePort, ClaudeReport, ClaudeRequest } from "../engine/ports.ts";
import { MASK, noRedactor, type Redactor } from "../lib/redact.ts";
import { MmmError } from "../errors.ts";
import { lookAt, whatChanged, type Moment } from "./capture.ts";
import { rootsOf } from "./git.ts";
import { mask, secretsOf } from "./mask.ts";
import { withoutSecrets } from "./masked-changes.ts";
import {
  type RecordedCallInput,
  type RecordedChange,
  recordingHeader,
  recordingLine,
} from "./recording.ts";
import { hideVolatile } from "./volatile.ts";

export interface RecorderOptions {
  /** Absolute path. */
  readonly file: string;
  /** Of mmm, for the header. */
  readonly version: string;
  readonly redactor?: Redactor;
  /** The environment mmm was started in: secrets in it are kept out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Of one call; the event stream has them all. */
const MAX_ACTIVITIES = 200;
const MAX_ACTIVITY_CHARACTERS = 2000;

/**
 * Begins the file anew, or goes on in one that is there when a session is resumed.
 *
 * @throws MmmError `recording-file`, exit 3
 */
export async function startRecording(options: RecorderOptions, resumed: boolean): Promise<void> {
  try {
    await fs.mkdir(path.dirname(options.file), { recursive: true });
    const size = resumed ? await sizeOf(options.file) : 0;
    if (size === 0) await fs.writeFile(options.file, recordingHeader(options.version));
  } catch (error) {
    throw unwritable(options.file, error);
  }
}

/**
 * The same port, with a line in the file for each call that came to an end by itself. What a recording
 * cannot hold is a warning of the report: work that was paid for is never lost for it.
 */
export function recordingPort(inner: ClaudePort, options: RecorderOptions): ClaudePort {
  return { run: (request, signal) => record(inner, options, { request, signal }) };
}

async function record(
  inner: ClaudePort,
  options: RecorderOptions,
  { request, signal }: { readonly request: ClaudeRequest; readonly signal: AbortSignal },
): Promise<ClaudeReport> {
  const start = await begin(request.cwd);
  const activity: ClaudeActivity[] = [];
  const report = await inner.run(
    {
      ...request,
      onActivity: (one) => {
        if (activity.length < MAX_ACTIVITIES) activity.push(one);
        request.onActivity?.(one);
      },
    },
    signal,
  );
  if (report.end.kind === "cancelled") return report;
  try {
    const warnings = await write(options, { request, report, activity, start });
    return { ...report, warnings: [...report.warnings, ...warnings] };
  } catch (error) {
    if (!(error instanceof MmmError)) throw error;
    return { ...report, warnings: [...report.warnings, `recording: not kept: ${error.message}`] };
  }
}

type Start =
  | { readonly root: string; readonly roots: readonly string[]; readonly before: Moment }
  | { readonly trouble: MmmError };

async function begin(cwd: string): Promise<Start> {
  try {
    const { root, all } = await rootsOf(cwd);
    return { root, roots: all, before: await lookAt(root) };
  } catch (error) {
    if (error instanceof MmmError) return { trouble: error };
    throw error;
  }
}

interface Finished {
  readonly request: ClaudeRequest;
  readonly report: ClaudeReport;
  readonly activity: readonly ClaudeActivity[];
  readonly start: Start;
}

/** @returns warnings */
async function write(
  { file, redactor = noRedactor, env = {} }: RecorderOptions,
  { request, report, activity, start }: Finished,
): Promise<readonly string[]> {
  if ("trouble" in start) throw start.trouble;
  const { commits, changes, warnings } = await whatChanged(
    start.root,
    start.before,
    await lookAt(start.root),
  );
  const secrets = secretsOf({ ...env, ...request.env });
  const hide = (text: string) => mask(hideVolatile(redactor.text(text), start.roots), secrets);
  const declared = (change: RecordedChange) => masked(change, redactor);
  const safe = withoutSecrets(
    {
      commits: commits.map((commit) => ({
        ...redactor.value(commit),
        changes: commit.changes.map(declared),
      })),
      changes: changes.map(declared),
    },
    secrets,
  );
  const { verdict } = report;
  const line = recordingLine({
    step: request.step,
    prompt: hide(request.prompt),
    text: hide(report.text),
    activity: activity.flatMap((one) => keep(one, hide)),
    commits: safe.commits,
    changes: safe.changes,
    ...(report.end.kind === "exited" && report.end.code === 0 ? {} : { exit: exitOf(report) }),
    ...(verdict.ok ? {} : { failure: failureOf(verdict, hide) }),
    usage: report.usage,
    turns: report.turns,
    model: report.model,
  });
  try {
    await fs.appendFile(file, line);
  } catch (error) {
    throw unwritable(file, error);
  }
  return [...warnings, ...safe.warnings];
}

/** What may be left out is: the usual trouble is neither transient nor has a time. */
function failureOf(
  verdict: Extract<ClaudeReport["verdict"], { readonly ok: false }>,
  hide: (text: string) => string,
): RecordedCallInput["failure"] {
  const { code, message, transient, retryAfterMs, resetsAt } = verdict;
  return {
    code,
    message: hide(message),
    ...(transient && { transient }),
    ...(retryAfterMs !== null && { retryAfterMs }),
    ...(resetsAt !== null && { resetsAt }),
  };
}

/** Base64 with stars in it would be none. */
function masked(change: RecordedChange, redactor: Redactor): RecordedChange {
  const { base64, ...rest } = change;
  if (base64 === undefined) return redactor.value(change);
  const isSound = redactor.text(base64) === base64;
  return isSound ? { ...redactor.value(rest), base64 } : { ...redactor.value(rest), content: MASK };
}

/** Signals and time limits have no exit code; 1 stands for them beside `failure`. */
function exitOf({ end }: ClaudeReport): number {
  return end.kind === "exited" ? end.code : 1;
}

function keep(
  activity: ClaudeActivity,
  hide: (text: string) => string,
): (
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool"; readonly name: string; readonly detail: string }
)[] {
  if (activity.type === "text")
    return [{ type: "text", text: hide(activity.text.slice(0, MAX_ACTIVITY_CHARACTERS)) }];
  if (activity.type === "tool")
    return [{ type: "tool", name: activity.name, detail: hide(activity.detail) }];
  return [];
}

async function sizeOf(file: string): Promise<number> {
  const stat = await fs.stat(file).catch(() => null);
  return stat?.size ?? 0;
}

function unwritable(file: string, cause: unknown): MmmError {
  return new MmmError("recording-file", 3, {
    message: `cannot write the recording ${file}: ${(cause as Error).message}`,
    next: ["name another file with --record"],
    cause,
  });
}
