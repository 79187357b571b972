const heard = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls the listener when the signal is aborted, in the order they came. However many there are, the signal has one: from
 * the eleventh on Node would warn the user of a leak, and a session listens once for each of its inputs.
 *
 * @returns stops listening, and forgets the listener
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const listeners = heard.get(signal) ?? new Set();
  if (!heard.has(signal)) {
    heard.set(signal, listeners);
    signal.addEventListener("abort", () => {
      for (const each of listeners) each();
    });
  }
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
