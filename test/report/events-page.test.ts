import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { NO_LIMITS } from "../../src/engine/budget.ts";
import type { Event, LiveEvent } from "../../src/engine/events.ts";
import {
  attempt,
  demoRun,
  failureOf,
  finished,
  place,
  type Scripted,
  SESSION_FINISHED,
  SESSION_STARTED,
} from "../support/scripted-run.ts";

const AT = place("1");
const INPUT = { arg: "65", file: null, index: 1, total: 1 };

/** One of each; a new type does not compile until it stands here, a new field until the page has it. */
const EACH: { readonly [T in (Event | LiveEvent)["type"]]: Event | LiveEvent } = {
  "session-started": SESSION_STARTED,
  "session-resumed": {
    type: "session-resumed",
    limits: NO_LIMITS,
    session: "",
    playbook: "",
    segment: 2,
    reused: [],
    inFlight: null,
    why: null,
    left: 0,
    inputs: null,
    costUsd: null,
    kept: {},
    replay: null,
  },
  "unit-restarted": { type: "unit-restarted", head: "", kept: "", files: [], why: "cut-short" },
  "worktree-created": {
    type: "worktree-created",
    session: "",
    path: "",
    target: null,
    base: "",
  },
  "worktree-completed": { type: "worktree-completed", session: "", path: "" },
  "worktree-merged": {
    type: "worktree-merged",
    session: "",
    target: "",
    commit: "",
    by: "git",
  },
  "worktree-removed": { type: "worktree-removed", session: "", why: "merged" },
  "worktree-kept": { type: "worktree-kept", session: "", path: "", why: null, next: [] },
  "session-broken": {
    type: "session-broken",
    session: "",
    inputResults: [],
    directory: "",
    next: [],
  },
  note: { type: "note", severity: "info", message: "" },
  "input-opened": { type: "input-opened", input: INPUT, name: "", path: "", base: "" },
  "input-merging": { type: "input-merging", input: INPUT, into: "" },
  "input-merged": { type: "input-merged", input: INPUT, into: "", commit: "" },
  "input-left": {
    type: "input-left",
    input: INPUT,
    left: { head: "", branch: null, tree: null },
  },
  "input-kept": { type: "input-kept", input: INPUT, name: "", path: "", next: [] },
  "input-started": { type: "input-started", input: INPUT },
  "iteration-started": { type: "iteration-started", iteration: 1, maxIterations: 1, input: null },
  "step-started": { type: "step-started", at: AT },
  "attempt-started": {
    type: "attempt-started",
    at: AT,
    attempt: 1,
    maxAttempts: 1,
    rendered: "",
    log: null,
  },
  "process-started": {
    type: "process-started",
    at: AT,
    attempt: 1,
    process: { pid: 1, startTime: "" },
  },
  "wait-started": {
    type: "wait-started",
    at: AT,
    until: "",
    resetsAt: null,
    durationMs: 0,
  },
  "run-failed": {
    type: "run-failed",
    at: AT,
    attempt: 1,
    run: 1,
    end: null,
    durationMs: 0,
    usage: null,
    turns: null,
    model: null,
    failure: failureOf({ code: "overloaded", transient: true }),
  },
  "retry-started": {
    type: "retry-started",
    at: AT,
    attempt: 1,
    run: 2,
    maxRuns: 4,
    delayMs: 1000,
    why: "",
    log: null,
  },
  "attempt-finished": fromScript("attempt-finished"),
  "handler-started": fromScript("handler-started"),
  "handler-finished": fromScript("handler-finished"),
  "items-listed": { type: "items-listed", at: AT, total: 2, done: 0 },
  "item-started": { type: "item-started", at: AT, index: 1, total: 2, item: "" },
  "item-finished": {
    type: "item-finished",
    at: AT,
    index: 1,
    total: 2,
    item: "",
    conclusion: "succeeded",
    failure: null,
    durationMs: 0,
  },
  "output-captured": { type: "output-captured", at: AT, name: "", value: "" },
  "gate-started": {
    type: "gate-started",
    at: AT,
    attempt: 1,
    gate: "",
    when: "after",
    command: "",
    log: "",
  },
  "gate-finished": {
    type: "gate-finished",
    at: AT,
    attempt: 1,
    gate: "",
    when: "after",
    verdict: "ok",
    why: null,
    command: null,
    end: null,
    exitCode: null,
    figures: { before: null, after: null },
    tail: "",
    commit: "",
    uncommitted: 0,
    log: null,
    durationMs: 0,
  },
  "commit-made": {
    type: "commit-made",
    at: AT,
    commit: { sha: "", subject: "" },
    by: "mmm",
  },
  "step-finished": finished(AT, { failure: failureOf() }),
  "rolled-back": { type: "rolled-back", at: AT, head: "", kept: null },
  "iteration-finished": fromScript("iteration-finished"),
  "input-finished": {
    type: "input-finished",
    input: INPUT,
    ok: true,
    stop: "iterations-done",
    message: null,
    durationMs: 0,
  },
  "session-finished": SESSION_FINISHED,
  output: { type: "output", at: AT, text: "" },
  activity: { type: "activity", at: AT, activity: { type: "turns", turns: 1 } },
};

function fromScript(type: Event["type"]): Event {
  const script: readonly Scripted[] = [
    ...attempt(AT, { number: 1, most: 1, failure: failureOf() }),
    ...demoRun(),
  ];
  for (const entry of script) {
    if ("event" in entry && entry.event.type === type) {
      return entry.event;
    }
  }
  throw new Error(`no ${type} in the script`);
}

const PAGE = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8");

test.each(Object.entries(EACH))("docs/events.md tells every field of %s", (type, event) => {
  const [, section = ""] = PAGE.split(`\n### \`${type}\`\n`);
  const [text = ""] = section.split(/\n##/);

  const fields = Object.keys(event).filter((field) => field !== "type");
  expect(text).not.toBe("");
  expect(fields.filter((field) => !text.includes(`\`${field}\``))).toEqual([]);
});

test.each([
  ["place of a step", AT],
  ["failure", failureOf()],
  ["totals", SESSION_FINISHED.totals],
  ["input", INPUT],
])("docs/events.md tells every field of a %s", (_shape, value) => {
  expect(Object.keys(value).filter((field) => !PAGE.includes(`\`${field}\``))).toEqual([]);
});
