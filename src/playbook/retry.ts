import type { RetryCause, RetryPolicy } from "./model.ts";
import type { Problems } from "./problems.ts";
import type { Entries, Entry, Tree } from "./tree.ts";
import { boolOf, durationOf, entriesOf, numberOf, textOf } from "./values-of.ts";

const INITIAL_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

/** `retry:` (spec 2.4) with what is not written filled in; it has passed its schema. */
export function readRetry(entry: Entry | undefined, problems: Problems): RetryPolicy | null {
  if (entry === undefined) return null;
  const entries = entriesOf(entry.value);
  const initialDelayMs = durationOf(entries, "initial_delay") ?? INITIAL_DELAY_MS;
  const most = durationOf(entries, "max_delay");
  reportConflicts(entries, { initialDelayMs, most }, problems);
  return {
    attempts: numberOf(entries, "attempts") ?? numberOf(entries, "max_attempts"),
    backoff: backoffOf(textOf(entries, "backoff")),
    initialDelayMs,
    maxDelayMs: most ?? Math.max(MAX_DELAY_MS, initialDelayMs),
    jitter: boolOf(entries, "jitter") ?? true,
    retryOn: causesOf(entries.get("retry_on")?.value),
  };
}

function reportConflicts(
  entries: Entries,
  { initialDelayMs, most }: { readonly initialDelayMs: number; readonly most: number | null },
  problems: Problems,
): void {
  const second = entries.get("max_attempts");
  if (second !== undefined && entries.has("attempts")) {
    const message = "`max_attempts` is another word for `attempts`, which stands here too";
    problems.error("bad-value", second.key.range, message, { help: "remove one of them" });
  }
  const first = entries.get("initial_delay");
  if (first !== undefined && most !== null && initialDelayMs > most) {
    const message = "`initial_delay` is longer than `max_delay`";
    problems.error("bad-value", first.value.range, message, { help: "raise `max_delay`" });
  }
}

function backoffOf(word: string | null): RetryPolicy["backoff"] {
  return word === "fixed" || word === "linear" ? word : "exponential";
}

function causesOf(tree: Tree | undefined): readonly RetryCause[] | null {
  if (tree?.kind !== "list") return null;
  return tree.items.map((item): RetryCause => {
    const entries = entriesOf(item);
    const pattern = textOf(entries, "pattern");
    if (pattern !== null) return { kind: "pattern", pattern };
    const codes = entries.get("exit_code")?.value;
    if (codes !== undefined) return { kind: "exit-code", codes: numbersOf(codes) };
    return { kind: item.kind === "scalar" && item.value === "timeout" ? "timeout" : "transient" };
  });
}

function numbersOf(tree: Tree): readonly number[] {
  const items = tree.kind === "list" ? tree.items : [tree];
  return items.flatMap((item) =>
    item.kind === "scalar" && typeof item.value === "number" ? [item.value] : [],
  );
}
