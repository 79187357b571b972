/** Milliseconds in each unit a duration may use (spec section 2). */
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const WHOLE = /^(?:\d{1,12}(?:\.\d{1,3})?(?:ms|s|m|h|d)){1,5}$/;
const PART = /(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)/g;

/**
 * Reads `90`, `"90"` (seconds), `90s`, `1h30m`, `500ms`; the result is in milliseconds, rounded.
 *
 * `null`: not a duration. A unit may stand once, in any order; negative and infinite values are none.
 */
export function parseDuration(input: string | number): number | null {
  if (typeof input === "number") {
    return Number.isFinite(input) && input >= 0 ? Math.round(input * 1000) : null;
  }
  if (/^\d{1,12}(?:\.\d{1,3})?$/.test(input)) return Math.round(Number(input) * 1000);
  if (!WHOLE.test(input)) return null;
  const seen = new Set<string>();
  let total = 0;
  for (const [, amount, unit] of input.matchAll(PART)) {
    if (amount === undefined || unit === undefined || seen.has(unit)) return null;
    seen.add(unit);
    total += Number(amount) * (UNIT_MS[unit] ?? 0);
  }
  return Math.round(total);
}

const WORDY = /(\d{1,12}(?:\.\d{1,3})?)\s*([a-z]+)\.?/gi;
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/^(?:ms|msecs?|milliseconds?)$/, "ms"],
  [/^(?:s|secs?|seconds?)$/, "s"],
  [/^(?:m|mins?|minutes?)$/, "m"],
  [/^(?:h|hrs?|hours?)$/, "h"],
  [/^(?:d|days?)$/, "d"],
];

/** `5 minutes` and `1 hour 30 min` as {@link parseDuration} wants them (`5m`, `1h30m`); `null`: neither is it that. */
export function durationFrom(words: string): string | null {
  if (words.length > 100 || words.replaceAll(WORDY, "").replace(/\band\b|[\s,]/g, "") !== "")
    return null;
  let text = "";
  for (const [, amount = "", word = ""] of words.matchAll(WORDY)) {
    const unit = UNITS.find(([pattern]) => pattern.test(word.toLowerCase()))?.[1];
    if (unit === undefined) return null;
    text += `${amount}${unit}`;
  }
  return parseDuration(text) === null ? null : text;
}

/** As {@link parseDuration} reads it, in whole seconds, rounded up: `1h30m`, `45s`, `0s`. */
export function shownDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const shown = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n}${unit}`);
  return shown.length === 0 ? "0s" : shown.join("");
}
