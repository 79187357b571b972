import { expect, test } from "vitest";

import { endWords } from "../../src/report/failure-wording.ts";
import {
  attempt,
  failureOf,
  finished,
  place,
  play,
  type Scripted,
} from "../support/scripted-run.ts";
import { rig } from "./rig.ts";

const AT = place("3");

/** What goes to standard error when a step ends like this. */
function shown(over: Parameters<typeof finished>[1], before: readonly Scripted[] = []): string {
  const { reporter, clock, err } = rig();
  play(
    [{ event: { type: "step-started", at: AT } }, ...before, { event: finished(AT, over) }],
    reporter,
    clock,
  );
  reporter.close();
  return err.text;
}

test("F09: a failed step shows place, command, exit code, last lines, log and what to do (spec 10)", () => {
  const failure = failureOf({ next: ["npm install"], rendered: "npm test -- --ci\necho done" });

  expect(shown({ conclusion: "failed", failure, attempts: 3, durationMs: 65_000 })).toBe(
    `❌ Step 3/4 failed: npm test
   at:      playbooks/demo.yml:12
   command: npm test -- --ci
            echo done
   result:  exit code 1 (1m 5s, after 3 attempts)
   output:  the last 2 lines
   │ not ok 1 - adds
   │   expected 4, got 5
   log:     /repo/.mmm/sessions/mmm-demo-1/logs/3.1.log
   next:    npm install
`,
  );
});

test("F09: of long output the last 20 lines are shown, each cut to 500 columns", () => {
  const lines = Array.from({ length: 30 }, (_line, n) => `line ${n + 1} ${"x".repeat(600)}`);

  const text = shown({ conclusion: "failed", failure: failureOf({ tail: lines.join("\n") }) });

  const tail = text.split("\n").filter((line) => line.startsWith("   │ "));
  expect(tail).toHaveLength(20);
  expect(tail[0]).toMatch(/^ {3}│ line 11 x+…$/);
  expect(tail[19]).toHaveLength(505);
});

test("F09: a failure without output says so, and what Claude's verdict was", () => {
  const failure = failureOf({
    reason: "claude",
    message: "claude stopped at its turn limit\nafter 3 turns",
    end: { kind: "exited", code: 0 },
    exitCode: 0,
    tail: "",
    log: null,
  });

  expect(shown({ conclusion: "failed", failure })).toBe(
    `❌ Step 3/4 failed: npm test
   at:      playbooks/demo.yml:12
   command: npm test
   result:  exit code 0 (4s)
   error:   claude stopped at its turn limit
            after 3 turns
   output:  none
   next:    run it by hand to see why it fails: it printed nothing, or give the step an on_failure
`,
  );
});

test("a failure before any process ran says why and shows no output", () => {
  const failure = failureOf({
    reason: "no-commit",
    message: "no commit was made",
    end: null,
    exitCode: null,
    tail: "",
    log: null,
  });

  expect(shown({ conclusion: "failed", failure })).toContain(
    "   result:  failed (4s)\n   error:   no commit was made\n",
  );
});

test("a message that repeats the output is not shown twice", () => {
  const failure = failureOf({
    message: "npm test ended with exit code 1\nboom\nlast words",
    tail: "boom\nlast words\n",
  });

  expect(shown({ conclusion: "failed", failure })).not.toContain("error:");
});

test.each([
  [{ kind: "timed-out", afterMs: 5000 }, "raise the timeout of this step"],
  [{ kind: "not-started", reason: "ENOENT" }, "check that the program is installed"],
  [{ kind: "signalled", signal: "SIGSEGV" }, "mend what the output says"],
] as const)("every failure says what to do: %j (spec 10)", (end, advice) => {
  const failure = failureOf({ end, exitCode: null });

  expect(shown({ conclusion: "failed", failure })).toContain(`   next:    ${advice}`);
});

test.each([
  [{ reason: "commit" }, "mend what git says, or write `auto_commit: false` at this step"],
  [{ reason: "output" }, "correct the rule of this output, or give it a default"],
  [{ reason: "value", end: null }, "correct the value, or the step that it comes from"],
  [{ reason: "on-success" }, "mend what failed in on_success, see above"],
] as const)("what to do fits the reason, whatever the command's own end: %j", (over, advice) => {
  const failure = failureOf({ exitCode: 0, end: { kind: "exited", code: 0 }, ...over });

  expect(shown({ conclusion: "failed", failure })).toContain(`   next:    ${advice}\n`);
});

test.each(["no-commit", "head"] as const)(
  "%s brings its own advice, there is no other",
  (reason) => {
    expect(shown({ conclusion: "failed", failure: failureOf({ reason }) })).not.toContain("next:");
  },
);

test("no on_failure is advised to a step whose handler has run, nor in a playbook that mmm ships", () => {
  const handler = {
    type: "handler-started",
    at: AT,
    attempt: 1,
    handler: "on_failure",
    steps: 1,
    maxAttempts: 3,
  } as const;
  const shipped = place("3", { place: "examples/demo.yml:12" });

  const handled = shown({ conclusion: "failed", failure: failureOf() }, [{ event: handler }]);
  const example = shown({ conclusion: "failed", failure: failureOf(), at: shipped });

  expect(handled).toContain("   next:    mend what the output says\n");
  expect(example).toContain("   next:    mend what the output says\n");
});

test("the error of a claude that only exited is not said again", () => {
  const over = { reason: "claude", end: { kind: "exited", code: 3 }, exitCode: 3 } as const;
  const bare = failureOf({ ...over, message: "claude failed: exit 3" });
  const more = failureOf({ ...over, message: "claude failed: exit 3, no such model" });

  expect(shown({ conclusion: "failed", failure: bare })).not.toContain("error:");
  expect(shown({ conclusion: "failed", failure: more })).toContain(
    "error:   claude failed: exit 3, no",
  );
});

test("a step that the user stopped is not presented as a fault", () => {
  const failure = failureOf({ reason: "cancelled", end: { kind: "cancelled" }, exitCode: null });

  expect(shown({ conclusion: "failed", failure })).toBe("🛑 Step 3/4 stopped: npm test\n");
});

test("a tolerated failure is a warning that says the run goes on", () => {
  expect(shown({ conclusion: "tolerated", failure: failureOf() }).split("\n")[0]).toBe(
    "⚠️  Step 3/4 failed, the run goes on: npm test",
  );
});

test("a failed attempt that is tried again without a handler is told before the next one", () => {
  const { reporter, clock, out, err } = rig();

  play(
    [
      { event: { type: "step-started", at: AT } },
      ...attempt(AT, { number: 1, most: 3, failure: failureOf() }),
      ...attempt(AT, { number: 2, most: 3 }),
      { event: finished(AT, { attempts: 2 }) },
    ],
    reporter,
    clock,
  );

  expect(out.text).toContain(
    "⚠️  Attempt 1/3 failed: exit code 1\n⚙️  Running: npm test (attempt 2/3)\n",
  );
  expect(err.text).toBe("");
});

test("a clean-up handler of a step that is not repeated says that the step failed", () => {
  const { reporter, clock, out } = rig();

  play(
    [
      { event: { type: "step-started", at: AT } },
      ...attempt(AT, { number: 1, most: 1, failure: failureOf() }),
      {
        event: {
          type: "handler-started",
          at: AT,
          attempt: 1,
          handler: "on_exit_code",
          steps: 1,
          maxAttempts: 1,
        },
      },
    ],
    reporter,
    clock,
  );

  expect(out.text).toContain("⚠️  The step failed: exit code 1, running on_exit_code\n");
});

test("under -v the last lines of a failed attempt are shown unless they went by live", () => {
  const withLive = (live: boolean): string => {
    const { reporter, clock, out } = rig({ verbosity: 1 });
    const output = [{ type: "output", at: AT, text: "  expected 4, got 5\n" } as const];
    play(
      [
        { event: { type: "step-started", at: AT } },
        ...attempt(AT, { number: 1, most: 3, failure: failureOf(), live: live ? output : [] }),
        {
          event: {
            type: "handler-started",
            at: AT,
            attempt: 1,
            handler: "on_failure",
            steps: 1,
            maxAttempts: 3,
          },
        },
      ],
      reporter,
      clock,
    );
    return out.text;
  };

  expect(withLive(true).split("expected 4, got 5")).toHaveLength(2);
  expect(withLive(false).split("expected 4, got 5")).toHaveLength(2);
});

test("a failing handler and a failing handler step are problems, indented", () => {
  const { reporter, clock, err } = rig();
  const fix = place("3.on_failure.1", { number: 3, depth: 1, label: "fix it" });

  play(
    [
      { event: { type: "step-started", at: fix } },
      { event: finished(fix, { conclusion: "failed", failure: failureOf() }) },
      { event: { type: "handler-finished", at: AT, attempt: 1, handler: "on_failure", ok: false } },
    ],
    reporter,
    clock,
  );

  expect(err.text).toContain("   ❌ Step 3.on_failure.1 failed: fix it\n      at:      playbooks");
  expect(err.text).toContain("⚠️  on_failure of npm test failed\n");
});

test("hostile text in every field of a failure stays text", () => {
  const evil = "\u001b[2J\u001b]0;x\u0007\u202e\r\n\u009b1A";
  const { reporter, clock, both } = rig({ verbosity: 2 });
  const at = place("3", { label: evil, place: evil, step: evil });
  const failure = failureOf({
    message: evil,
    rendered: evil,
    tail: evil,
    log: evil,
    next: [evil],
    end: { kind: "not-started", reason: evil },
  });

  play(
    [
      { event: { type: "step-started", at } },
      ...attempt(at, {
        number: 1,
        most: 2,
        failure,
        live: [
          { type: "output", at, text: evil },
          { type: "activity", at, activity: { type: "tool", name: evil, detail: evil } },
          { type: "activity", at, activity: { type: "text", text: evil } },
          { type: "activity", at, activity: { type: "retry", message: evil } },
        ],
      }),
      { event: { type: "commit-made", at, commit: { sha: evil, subject: evil }, by: "mmm" } },
      { event: { type: "rolled-back", at, head: evil, kept: evil } },
      { event: finished(at, { conclusion: "failed", failure }) },
    ],
    reporter,
    clock,
  );

  expect(both.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test.each([
  [{ kind: "exited", code: 101 }, "exit code 101"],
  [{ kind: "signalled", signal: "SIGKILL" }, "ended by signal SIGKILL"],
  [{ kind: "timed-out", afterMs: 90_000 }, "timed out after 1m 30s"],
  [{ kind: "cancelled" }, "stopped by mmm"],
  [{ kind: "not-started", reason: "no such program" }, "could not be started: no such program"],
] as const)("an end reads in words: %j", (end, words) => {
  expect(endWords(end)).toBe(words);
});
