import type { Reporter } from "./reporter.ts";

/**
 * A reporter that breaks (a bug, a closed pipe) is switched off and must not take the run down:
 * `onBroken` is called once with what it threw, every later call does nothing.
 */
export function safeReporter(reporter: Reporter, onBroken: (error: unknown) => void): Reporter {
  let broken = false;
  const guarded = (act: () => void): void => {
    if (broken) {
      return;
    }
    try {
      act();
    } catch (error) {
      broken = true;
      try {
        reporter.close();
      } catch {
        // Already broken and already said: closing is only to stop its timer.
      }
      onBroken(error);
    }
  };
  return {
    event: (event) => guarded(() => reporter.event(event)),
    live: (event) => guarded(() => reporter.live(event)),
    close: () => guarded(() => reporter.close()),
  };
}
