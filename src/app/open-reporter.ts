/** The reporter that fits the terminal and the request (spec 10). */
import { chooseColor, chooseReporter } from "../report/choose.ts";
import { createReporter, type Reporter } from "../report/reporter.ts";
import { safeReporter } from "../report/safe-reporter.ts";
import { streamOutput } from "../report/stream-output.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { systemClock } from "./world.ts";

export function openReporter({
  request,
  invocation,
}: {
  readonly request: Pick<CookRequest, "reporter" | "verbosity" | "emoji">;
  readonly invocation: Invocation;
}): Reporter {
  const { stdout, stderr, env } = invocation;
  const { isTTY } = stdout;
  const kind = chooseReporter({ isTTY, flag: request.reporter, env });
  const reporter = createReporter({
    kind,
    verbosity: request.verbosity,
    emoji: request.emoji,
    color: chooseColor({ isTTY, env }),
    out: streamOutput(stdout, () => undefined),
    err: streamOutput(stderr, () => undefined),
    clock: {
      monotonicMs: () => systemClock.monotonicMs(),
      every: (ms, fn) => {
        const timer = setInterval(fn, ms);
        timer.unref();
        return () => clearInterval(timer);
      },
    },
  });
  return safeReporter(reporter, (error) => {
    const text = error instanceof Error ? error.message : String(error);
    stderr.write(`mmm: the reporter failed and is switched off, the run goes on: ${text}\n`);
  });
}
