/** `--replay`: a recording stands in for Claude, offline and free (spec 6.6). */
import * as fs from "node:fs/promises";
import { distance } from "fastest-levenshtein";
import type { ClaudePort, ClaudeReport, ClaudeRequest } from "../engine/ports.ts";
import type { ProcessEnd } from "../engine/outcome.ts";
import { noRedactor, type Redactor } from "../lib/redact.ts";
import { MmmError } from "../errors.ts";
import { applyChanges, applyCommit } from "./apply.ts";
import { rootsOf } from "./git.ts";
import type { RecordedCall } from "./recording.ts";
import { hideVolatile, matchesPattern, showRoot } from "./volatile.ts";

export interface ReplayOptions {
  readonly calls: readonly RecordedCall[];
  /** For messages. */
  readonly file: string;
  /** Recordings hold `***` for secrets, and so must what is looked for. */
  readonly redactor?: Redactor;
}

/**
 * Each recorded call is used once. A request takes the first unused one with its prompt, among several the
 * one of its own step; leaving some out is allowed.
 */
export function createReplayPort(options: ReplayOptions): ClaudePort {
  const { calls, file } = options;
  const redactor = options.redactor ?? noRedactor;
  // Those written by hand may hold anything; what they change in the tree is theirs.
  const unused = calls.map((call) => ({
    ...redactor.value(call),
    commits: call.commits,
    changes: call.changes,
  }));
  return {
    run: async (request, signal) => {
      const started = performance.now();
      const end = (): number => Math.round(performance.now() - started);
      const { root, all } = await rootsOf(request.cwd);
      if (signal.aborted) return failed(request, { kind: "cancelled" }, CANCELLED, end());
      const prompt = hideVolatile(redactor.text(request.prompt), all);
      const call = take(unused, prompt, request.step);
      if (call === null) return failed(request, NOT_RECORDED, missing(prompt, unused, file), end());
      return perform(call, request, { root, signal, durationMs: end, redactor });
    },
  };
}

type Trouble = Extract<ClaudeReport["verdict"], { readonly ok: false }>;

const NOT_RECORDED: ProcessEnd = { kind: "not-started", reason: "the recording has no such call" };
const CANCELLED: Trouble = {
  ok: false,
  code: "cancelled",
  message: "the replay was stopped because mmm was told to stop",
  next: [],
};

function take(unused: RecordedCall[], prompt: string, step: string): RecordedCall | null {
  const fits = (call: RecordedCall) =>
    call.prompt === undefined ? matchesPattern(call.match ?? "", prompt) : call.prompt === prompt;
  const own = unused.findIndex((call) => call.step === step && fits(call));
  const at = own === -1 ? unused.findIndex(fits) : own;
  return at === -1 ? null : (unused.splice(at, 1)[0] ?? null);
}

interface Stage {
  readonly root: string;
  readonly signal: AbortSignal;
  readonly durationMs: () => number;
  readonly redactor: Redactor;
}

async function perform(
  call: RecordedCall,
  request: ClaudeRequest,
  { root, signal, durationMs, redactor }: Stage,
): Promise<ClaudeReport> {
  for (const activity of call.activity) request.onActivity?.(activity);
  const end: ProcessEnd = { kind: "exited", code: call.exit };
  try {
    for (const commit of call.commits) {
      if (signal.aborted)
        return await failed(request, { kind: "cancelled" }, CANCELLED, durationMs());
      await applyCommit(commit, { root, env: request.env });
    }
    await applyChanges(call.changes, root);
  } catch (error) {
    if (!(error instanceof MmmError)) throw error;
    const trouble: Trouble = {
      ok: false,
      code: error.code,
      message: error.message,
      next: error.next,
    };
    return failed(request, { kind: "not-started", reason: error.message }, trouble, durationMs());
  }
  const text = showRoot(call.text, root);
  const kept = await keep(request, redactor.value(call), text);
  return {
    end,
    durationMs: durationMs(),
    verdict: verdictOf(call),
    text,
    ...kept,
    usage: call.usage,
    turns: call.turns,
    model: call.model,
    claudeSession: null,
    tail: text,
    warnings: [],
  };
}

function verdictOf({ failure, exit }: RecordedCall): ClaudeReport["verdict"] {
  if (failure !== undefined) return { ok: false, ...failure, next: [] };
  if (exit === 0) return { ok: true };
  return { ok: false, code: "exit-code", message: `claude failed: exit ${exit}`, next: [] };
}

/** The files a real call leaves: one line of events, the log, the text. */
async function keep(
  request: ClaudeRequest,
  event: unknown,
  text: string,
): Promise<{ readonly textFile: string }> {
  const textFile = `${request.eventsFile.replace(/\.jsonl$/, "")}.txt`;
  await fs.writeFile(request.eventsFile, `${JSON.stringify(event)}\n`);
  await fs.writeFile(request.logFile, text === "" ? "" : `${text}\n`);
  await fs.writeFile(textFile, text);
  return { textFile };
}

async function failed(
  request: ClaudeRequest,
  end: ProcessEnd,
  verdict: Trouble,
  durationMs: number,
): Promise<ClaudeReport> {
  const { textFile } = await keep(request, { code: verdict.code }, verdict.message);
  return {
    end,
    durationMs,
    verdict,
    text: "",
    textFile,
    usage: null,
    turns: null,
    model: null,
    claudeSession: null,
    tail: "",
    warnings: [],
  };
}

/** What was asked, what the recording still holds, and where the most similar one differs. */
function missing(prompt: string, unused: readonly RecordedCall[], file: string): Trouble {
  const left = unused.map((call) => call.prompt ?? call.match ?? "");
  const nearest = left
    .map((text) => ({ text, letters: distance(cut(text, 500), cut(prompt, 500)) }))
    .sort((one, other) => one.letters - other.letters)[0];
  return {
    ok: false,
    code: "no-recording",
    message: [
      `the recording ${file} has no call for ${JSON.stringify(cut(prompt, 200))}`,
      ...(nearest === undefined ? ["it has no call left"] : difference(nearest.text, prompt)),
    ].join("\n"),
    next: [
      ...(left.length === 0 ? [] : [`calls left: ${left.slice(0, 10).map(shown).join(", ")}`]),
      "record again with --record, or add a line (docs/recordings.md)",
    ],
  };
}

/** The first line in which they differ. */
function difference(expected: string, asked: string): string[] {
  const [old, fresh] = [expected.split("\n"), asked.split("\n")];
  const at = old.findIndex((line, index) => line !== fresh[index]);
  const line = at === -1 ? old.length : at;
  return [
    `line ${line + 1} of the most similar one:`,
    `- ${old[line] === undefined ? "(ends)" : cut(old[line], 200)}`,
    `+ ${fresh[line] === undefined ? "(ends)" : cut(fresh[line], 200)}`,
  ];
}

function shown(prompt: string): string {
  return JSON.stringify(cut(prompt.split("\n")[0] ?? "", 60));
}

function cut(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters - 1)}…` : text;
}
