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
