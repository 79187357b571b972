const heard = new WeakMap<AbortSignal, (() => void)[]>();

/**
 * Calls the listener when the signal is aborted, in the order they came. However many there are, the signal has one: from
 * the eleventh on Node would warn the user of a leak, and a session listens once for each of its inputs.
 */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  const there = heard.get(signal);
  if (there !== undefined) {
    there.push(listener);
    return;
  }
  const listeners = [listener];
  heard.set(signal, listeners);
  signal.addEventListener("abort", () => {
    for (const each of listeners) each();
  });
}
