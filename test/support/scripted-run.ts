/**
 * A session as a reporter sees it, shaped like the demo: review, implement, a failing test that is
 * repaired, lint, commits, a second iteration that finds nothing.
 */
import type { Event, FailureDetail, LiveEvent, StepPlace } from "../../src/engine/events.ts";
import { NO_LIMITS } from "../../src/engine/budget.ts";
import { NO_SPENDING } from "../../src/engine/ledger.ts";
import type { ClaudeUsage, CommitInfo } from "../../src/engine/ports.ts";
import type { Reporter } from "../../src/report/reporter.ts";
import type { ManualClock } from "./manual-clock.ts";

export type Scripted =
  | { readonly event: Event }
  | { readonly live: LiveEvent }
  | { readonly waitMs: number };

/** Feeds a script to a reporter; the clock goes on where the script waits. */
export function play(script: readonly Scripted[], reporter: Reporter, clock: ManualClock): void {
  for (const entry of script) {
    if ("event" in entry) {
      reporter.event(entry.event);
    } else if ("live" in entry) {
      reporter.live(entry.live);
    } else {
      clock.advance(entry.waitMs);
    }
  }
}

export function place(step: string, over: Partial<StepPlace> = {}): StepPlace {
  return {
    step,
    id: null,
    label: "npm test",
    kind: "shell",
    number: Number.parseInt(step, 10),
    total: 4,
    depth: 0,
    iteration: 1,
    input: null,
    place: "playbooks/demo.yml:12",
    ...over,
  };
}

export function failureOf(over: Partial<FailureDetail> = {}): FailureDetail {
  return {
    reason: "process",
    message: "exit code 1",
    exitCode: 1,
    next: [],
    rendered: "npm test",
    end: { kind: "exited", code: 1 },
    tail: "not ok 1 - adds\n  expected 4, got 5\n",
    log: "/repo/.mmm/sessions/mmm-demo-1/logs/3.1.log",
    ...over,
  };
}

const USAGE: ClaudeUsage = {
  costUsd: 0.0412,
  inputTokens: 1200,
  outputTokens: 300,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

const SPEC: CommitInfo = { sha: "1111111aaaaaaaaa", subject: "review: add spec 3" };
const CODE: CommitInfo = { sha: "2222222bbbbbbbbb", subject: "fix: add() returns the sum" };
const REPAIR: CommitInfo = { sha: "3333333ccccccccc", subject: "mmm-fix-test" };

export const SESSION_STARTED: Event & { readonly type: "session-started" } = {
  type: "session-started",
  session: "mmm-demo-1",
  playbook: "playbooks/demo.yml",
  name: "demo",
  description: "review, implement, test, lint",
  steps: 4,
  inputs: 0,
  parallel: 1,
  maxIterations: 10,
  boundFrom: "default",
  root: "/repo",
  cwd: "/repo",
  head: "0000000fffffffff",
  branch: "main",
  commit: "auto",
  limits: NO_LIMITS,
  replay: null,
  version: "0.1.0",
};

export const SESSION_FINISHED: Event & { readonly type: "session-finished" } = {
  type: "session-finished",
  session: "mmm-demo-1",
  status: "completed",
  stop: "nothing-to-do",
  exitCode: 0,
  maxIterations: 10,
  totals: {
    iterations: 2,
    steps: 6,
    commits: 3,
    filesChanged: 3,
    durationMs: 65_200,
    costUsd: 0.1648,
    knownCostUsd: 0.1648,
    unknownCosts: 0,
    tokens: 6000,
  },
  limit: null,
  spending: NO_SPENDING,
  workedMs: 65_200,
  commits: [SPEC, CODE, REPAIR],
  failedInputs: [],
  inputResults: [],
  toleratedFailures: [],
  directory: "/repo/.mmm/sessions/mmm-demo-1",
  next: ["git log -p -3"],
};

/** A step from start to end: one attempt that succeeds. */
function goodStep(
  at: StepPlace,
  over: {
    readonly live?: readonly LiveEvent[];
    readonly commits?: readonly CommitInfo[];
    readonly waitMs?: number;
  } = {},
): readonly Scripted[] {
  const commits = over.commits ?? [];
  return [
    { event: { type: "step-started", at } },
    ...attempt(at, { number: 1, most: 1, ...over }),
    ...commits.map((commit): Scripted => ({
      event: { type: "commit-made", at, commit, by: "step" },
    })),
    { event: finished(at, { commits, durationMs: over.waitMs ?? 4000 }) },
  ];
}

export function attempt(
  at: StepPlace,
  of: {
    readonly number: number;
    readonly most: number;
    readonly live?: readonly LiveEvent[];
    readonly waitMs?: number;
    readonly failure?: FailureDetail;
  },
): readonly Scripted[] {
  const claude = at.kind === "claude";
  const rendered = claude ? `/${at.label}` : at.label;
  const log = `/repo/.mmm/sessions/mmm-demo-1/logs/${at.step}.${of.number}.log`;
  const waitMs = of.waitMs ?? 4000;
  return [
    {
      event: {
        type: "attempt-started",
        at,
        attempt: of.number,
        maxAttempts: of.most,
        rendered,
        log,
      },
    },
    {
      event: {
        type: "process-started",
        at,
        attempt: of.number,
        process: { pid: 4242, startTime: "99" },
      },
    },
    ...(of.live ?? []).map((live): Scripted => ({ live })),
    { waitMs },
    {
      event: {
        type: "attempt-finished",
        at,
        attempt: of.number,
        end: { kind: "exited", code: of.failure?.exitCode ?? 0 },
        durationMs: waitMs,
        usage: claude ? USAGE : null,
        turns: claude ? 3 : null,
        model: claude ? "claude-test" : null,
        failure: of.failure ?? null,
      },
    },
  ];
}

export function finished(
  at: StepPlace,
  over: Partial<Event & { readonly type: "step-finished" }> = {},
): Event {
  return {
    type: "step-finished",
    at,
    conclusion: "succeeded",
    why: null,
    attempts: 1,
    durationMs: 4000,
    commits: [],
    files: [],
    failure: null,
    ...over,
  };
}

export function demoRun(): readonly Scripted[] {
  const review = place("1", { label: "mmm-code-review", kind: "claude", id: "review" });
  const implement = place("2", { label: "mmm-implement-spec 3", kind: "claude" });
  const test = place("3", { label: "npm test" });
  const lint = place("4", { label: "mmm-lint", kind: "claude" });
  const fix = place("3.on_failure.1", {
    label: "mmm-fix-test",
    kind: "claude",
    number: 3,
    depth: 1,
  });
  const review2 = { ...review, iteration: 2 };
  const implement2 = { ...implement, iteration: 2 };
  return [
    { event: SESSION_STARTED },
    { event: { type: "note", severity: "info", message: "claude 2.1.112 at /usr/bin/claude" } },
    { event: { type: "iteration-started", iteration: 1, maxIterations: 10, input: null } },
    ...goodStep(review, {
      commits: [SPEC],
      waitMs: 12_000,
      live: [
        { type: "activity", at: review, activity: { type: "turns", turns: 1 } },
        {
          type: "activity",
          at: review,
          activity: { type: "text", text: "I'll look at the code.\nTwo files." },
        },
        {
          type: "activity",
          at: review,
          activity: { type: "tool", name: "Read", detail: "src/add.js" },
        },
      ],
    }),
    {
      event: { type: "output-captured", at: review, name: "spec", value: "specs/3-add.md" },
    },
    ...goodStep(implement, { commits: [CODE], waitMs: 31_000 }),
    { event: { type: "step-started", at: test } },
    ...attempt(test, {
      number: 1,
      most: 3,
      waitMs: 2300,
      failure: failureOf(),
      live: [
        { type: "output", at: test, text: "not ok 1 - ad" },
        { type: "output", at: test, text: "ds\n  expected 4, got 5\n" },
      ],
    }),
    {
      event: {
        type: "handler-started",
        at: test,
        attempt: 1,
        handler: "on_failure",
        steps: 1,
        maxAttempts: 3,
      },
    },
    ...goodStep(fix, { commits: [REPAIR], waitMs: 9000 }),
    {
      event: { type: "handler-finished", at: test, attempt: 1, handler: "on_failure", ok: true },
    },
    ...attempt(test, {
      number: 2,
      most: 3,
      waitMs: 2100,
      live: [{ type: "output", at: test, text: "ok 1 - adds\n" }],
    }),
    { event: finished(test, { attempts: 2, durationMs: 13_400 }) },
    ...goodStep(lint, { waitMs: 3000 }),
    {
      event: {
        type: "iteration-finished",
        iteration: 1,
        input: null,
        changed: true,
        durationMs: 61_000,
      },
    },
    { event: { type: "iteration-started", iteration: 2, maxIterations: 10, input: null } },
    ...goodStep(review2, { waitMs: 4200 }),
    { event: { type: "step-started", at: implement2 } },
    {
      event: finished(implement2, {
        conclusion: "skipped",
        why: "review wrote no spec",
        attempts: 0,
        durationMs: 0,
      }),
    },
    {
      event: {
        type: "iteration-finished",
        iteration: 2,
        input: null,
        changed: false,
        durationMs: 4200,
      },
    },
    { event: SESSION_FINISHED },
  ];
}
