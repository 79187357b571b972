import { expect, test } from "vitest";

import { safeReporter } from "../../src/report/safe-reporter.ts";
import { SESSION_STARTED } from "../support/scripted-run.ts";

const NOTE = { type: "note", severity: "info", message: "x" } as const;

test("a reporter that breaks is switched off with one word and closed, the caller never sees it", () => {
  const calls: string[] = [];
  const words: unknown[] = [];
  const reporter = safeReporter(
    {
      event: (event) => {
        calls.push(event.type);
        if (event.type === "note") {
          throw new Error("disk full");
        }
      },
      live: () => calls.push("live"),
      close: () => {
        calls.push("close");
        throw new Error("again");
      },
    },
    (error) => words.push(error),
  );

  reporter.event(SESSION_STARTED);
  reporter.event(NOTE);
  reporter.event(NOTE);
  reporter.close();

  expect(calls).toEqual(["session-started", "note", "close"]);
  expect(words).toEqual([new Error("disk full")]);
});
