/** What the outside world tells mmm: signals (spec 1.1, 7). */

/** Reason of the abort; SIGINT ends in exit code 130, SIGTERM and SIGHUP in 143. */
interface Interruption {
  readonly signal: InterruptSignal;
}

export type InterruptSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

export interface SignalWatch {
  /** Aborted by the first signal; its `reason` is an {@link Interruption}. */
  readonly aborted: AbortSignal;
  /** The first signal, `null` as long as there was none. */
  received(): InterruptSignal | null;
  /** Gives the signals back to the system; after this they end the process as usual. */
  stop(): void;
}

/** What mmm ends with after this (spec 1.1); `null`: nobody has interrupted it. */
export function interruptCode(aborted: AbortSignal): 130 | 143 | null {
  if (!aborted.aborted) return null;
  const reason: unknown = aborted.reason;
  const isInt =
    typeof reason === "object" && reason !== null && Reflect.get(reason, "signal") === "SIGINT";
  return isInt ? 130 : 143;
}

/** `npx` and `npm run` pass on what the terminal has sent us already: one key press, two signals. */
const SAME_PRESS_MS = 250;

const WATCHED: readonly InterruptSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** @param onSecond called for each signal after the first: end everything at once. */
export function watchSignals(onSecond: (signal: InterruptSignal) => void): SignalWatch {
  const controller = new AbortController();
  let first: InterruptSignal | null = null;
  let firstAt = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    const watched = WATCHED.find((name) => name === signal);
    if (watched === undefined) return;
    if (first !== null) {
      const isEcho = watched === first && performance.now() - firstAt < SAME_PRESS_MS;
      if (!isEcho) onSecond(watched);
      return;
    }
    first = watched;
    firstAt = performance.now();
    controller.abort({ signal: watched } satisfies Interruption);
  };
  for (const name of WATCHED) process.on(name, onSignal);
  return {
    aborted: controller.signal,
    received: () => first,
    stop: () => {
      for (const name of WATCHED) process.off(name, onSignal);
    },
  };
}
