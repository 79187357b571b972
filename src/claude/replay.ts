/** `--replay`: a recording stands in for Claude, offline and free (spec 6.6). */
import * as fs from "node:fs/promises";
import { distance } from "fastest-levenshtein";
import type { ClaudePort, ClaudeReport, ClaudeRequest } from "../engine/ports.ts";
import type { ProcessEnd } from "../engine/outcome.ts";
import { noRedactor, type Redactor } from "../lib/redact.ts";
import { MmmError } from "../errors.ts";
import { applyChanges, applyCommit } from "./apply.ts";
import { rootsOf } from "./git.ts";
import { MASK } from "./mask.ts";
import { lasting } from "./result-trouble.ts";
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
  let played = 0;
  return {
    recalled: async (request) => {
      const { all } = await rootsOf(request.cwd);
      take(unused, hideVolatile(redactor.text(request.prompt), all), request.step);
      played += 1;
    },
    run: async (request, signal) => {
      const started = performance.now();
      const end = (): number => Math.round(performance.now() - started);
      const { root, all } = await rootsOf(request.cwd);
      if (signal.aborted) return failed(request, { kind: "cancelled" }, CANCELLED, end());
      const prompt = hideVolatile(redactor.text(request.prompt), all);
      const call = take(unused, prompt, request.step);
      if (call === null) return failed(request, NOT_RECORDED, missing(prompt, unused, file), end());
      played += 1;
      return perform(call, request, { root, signal, durationMs: end, redactor, number: played });
    },
  };
}

type Trouble = Extract<ClaudeReport["verdict"], { readonly ok: false }>;

const NOT_RECORDED: ProcessEnd = { kind: "not-started", reason: "the recording has no such call" };
const CANCELLED: Trouble = {
  ok: false,
  ...lasting("cancelled", "the replay was stopped because mmm was told to stop"),
};

function take(unused: RecordedCall[], prompt: string, step: string): RecordedCall | null {
  const fits = (call: RecordedCall) =>
    call.prompt === undefined
      ? matchesPattern(call.match ?? "", prompt)
      : call.prompt === prompt ||
        // A secret stood there; another one may today.
        (call.prompt.includes(MASK) && matchesPattern(call.prompt, prompt, MASK));
  const own = unused.findIndex((call) => call.step === step && fits(call));
  const at = own === -1 ? unused.findIndex(fits) : own;
  return at === -1 ? null : (unused.splice(at, 1)[0] ?? null);
}

interface Stage {
  readonly root: string;
  readonly signal: AbortSignal;
  readonly durationMs: () => number;
  readonly redactor: Redactor;
  /** From 1, of the calls that were played. */
  readonly number: number;
}

async function perform(
  call: RecordedCall,
  request: ClaudeRequest,
  { root, signal, durationMs, redactor, number }: Stage,
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
    const trouble: Trouble = { ok: false, ...lasting(error.code, error.message, error.next) };
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
    // A later step may go on with it; nobody asks what it is called.
    claudeSession: request.resume?.session ?? `replay-${number}`,
    tail: text,
    warnings: [],
  };
}

function verdictOf({ failure, exit }: RecordedCall): ClaudeReport["verdict"] {
  if (failure !== undefined) return { ok: false, ...failure, next: [] };
  if (exit === 0) return { ok: true };
  return { ok: false, ...lasting("exit-code", `claude failed: exit ${exit}`) };
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
  const message = [
    `the recording ${file} has no call for ${JSON.stringify(cut(prompt, 200))}`,
    ...(nearest === undefined ? ["it has no call left"] : difference(nearest.text, prompt)),
  ].join("\n");
  const next = [
    ...(left.length === 0 ? [] : [`calls left: ${left.slice(0, 10).map(shown).join(", ")}`]),
    "record again with --record, or add a line (docs/recordings.md)",
  ];
  return { ok: false, ...lasting("no-recording", message, next) };
}

/** Lines of a difference that are shown of each side. */
const MAX_LINES = 6;

/** Where they differ: what the recording has there (`-`), and what was asked (`+`). */
function difference(expected: string, asked: string): string[] {
  const [old, fresh] = [expected.split("\n"), asked.split("\n")];
  const first = old.findIndex((line, index) => line !== fresh[index]);
  const from = first === -1 ? old.length : first;
  let same = 0;
  const most = Math.min(old.length, fresh.length) - from;
  while (same < most && old.at(-1 - same) === fresh.at(-1 - same)) same += 1;
  return [
    `line ${from + 1} of the most similar one:`,
    ...side("-", old.slice(from, old.length - same), same > 0),
    ...side("+", fresh.slice(from, fresh.length - same), same > 0),
  ];
}

/** @param goesOn the same text follows on both sides. */
function side(sign: "-" | "+", lines: readonly string[], goesOn: boolean): string[] {
  if (lines.length === 0) return goesOn ? [] : [`${sign} (ends)`];
  const told = lines.slice(0, MAX_LINES).map((line) => `${sign} ${cut(line, 200)}`);
  const left = lines.length - MAX_LINES;
  return left > 0 ? [...told, `${sign} and ${left} more`] : told;
}

function shown(prompt: string): string {
  return JSON.stringify(cut(prompt.split("\n")[0] ?? "", 60));
}

function cut(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters - 1)}…` : text;
}
