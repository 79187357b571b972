/** Events as a journal has them, short to write: each takes only what its test is about. */
import type { JsonObject } from "../../src/lib/json.ts";

/** A place of a step; `depth` follows from the path. */
export function at(step: string, more: JsonObject = {}): JsonObject {
  const kind = step.startsWith("c") ? "claude" : "shell";
  return {
    step: step.replace(/^c/, ""),
    id: null,
    label: `label of ${step.replace(/^c/, "")}`,
    kind,
    number: 1,
    total: 2,
    depth: step.split(".on_").length - 1,
    iteration: 1,
    input: null,
    place: "pb.yml:1",
    ...more,
  };
}

function usage(costUsd: number | null, tokens = 10): JsonObject {
  return { costUsd, inputTokens: tokens, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
}

/** A minute a line, from noon on. */
export function timed(events: readonly JsonObject[]): readonly JsonObject[] {
  return events.map((event, index) => ({
    v: 1,
    seq: index + 1,
    time: new Date(Date.UTC(2026, 0, 1, 12, index)).toISOString(),
    ...event,
  }));
}

export const STARTED: JsonObject = {
  type: "session-started",
  session: "mmm-pb-1",
  playbook: "pb.yml",
  root: "/repo",
  cwd: "/repo",
  head: "abc",
  branch: "main",
  commit: "auto",
  replay: null,
  version: "1.0.0",
};

export const ITERATION: JsonObject = {
  type: "iteration-started",
  iteration: 1,
  maxIterations: 3,
  input: null,
};

/** One attempt, begun and ended; a `c` before the path makes it a step of Claude's. */
export function attempt(
  step: string,
  {
    number = 1,
    failed = null,
    cost = null,
    model = "opus",
    late,
  }: {
    readonly number?: number;
    readonly failed?: string | null;
    /** Of Claude: `null` is unknown. */
    readonly cost?: number | null;
    readonly model?: string | null;
    readonly late?: boolean;
  } = {},
): readonly JsonObject[] {
  const place = at(step);
  const marks = late === true ? { late: true } : {};
  const claude = step.startsWith("c");
  return [
    {
      type: "attempt-started",
      at: place,
      attempt: number,
      maxAttempts: 3,
      log: `/repo/.mmm/sessions/s/logs/000${number}-${place["step"] as string}.log`,
    },
    {
      type: "attempt-finished",
      at: place,
      attempt: number,
      end: { kind: "exited", code: failed === null ? 0 : 1 },
      durationMs: 1000,
      usage: claude ? (cost === null ? null : usage(cost)) : null,
      turns: claude ? 2 : null,
      model: claude ? model : null,
      failure: failed === null ? null : { message: failed },
      ...marks,
    },
  ];
}

export function begun(step: string): JsonObject {
  return { type: "step-started", at: at(step) };
}

export function done(step: string, more: JsonObject = {}): JsonObject {
  return {
    type: "step-finished",
    at: at(step),
    conclusion: "succeeded",
    why: null,
    attempts: 1,
    durationMs: 2000,
    commits: [],
    files: [],
    failure: null,
    ...more,
  };
}

export function committed(step: string, sha: string, more: JsonObject = {}): JsonObject {
  return {
    type: "commit-made",
    at: at(step),
    commit: { sha, subject: `of ${sha}` },
    by: "mmm",
    ...more,
  };
}
