const heard = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls the listener when the signal is aborted, in the order they came, until the function that it returns is called.
 * However many there are, the signal has one: from the eleventh on Node would warn the user of a leak, and a session
 * listens once for each of its inputs.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const listeners = heard.get(signal) ?? listen(signal);
  // Two who pass the same function are two.
  const own = (): void => listener();
  listeners.add(own);
  return () => void listeners.delete(own);
}

function listen(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  heard.set(signal, listeners);
  signal.addEventListener("abort", () => {
    for (const each of listeners) each();
  });
  return listeners;
}
