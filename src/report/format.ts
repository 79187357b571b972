/** Numbers as people read them: durations, money, counts. */

/** `0.4s`, `12s`, `1m 5s`, `2h`, `2h 3m`; floored, never below `0s`. */
export function formatDuration(ms: number): string {
  if (!(ms > 0)) {
    return "0s";
  }
  if (ms < 10_000) {
    const tenths = Math.floor(ms / 100);
    return tenths % 10 === 0 ? `${tenths / 10}s` : `${(tenths / 10).toFixed(1)}s`;
  }
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) {
    return `${seconds}s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return pair(minutes, "m", seconds % 60, "s");
  }
  return pair(Math.floor(minutes / 60), "h", minutes % 60, "m");
}

/** US dollars: `$1.23`, four places under ten cents (`$0.0123`), `under $0.0001` below that. */
export function formatMoney(usd: number): string {
  if (usd === 0) {
    return "$0.00";
  }
  if (usd > 0 && usd < 0.0001) {
    return "under $0.0001";
  }
  if (usd < 0.1) {
    return `$${usd.toFixed(4).replace(/0{1,2}$/, "")}`;
  }
  const [whole = "0", cents = "00"] = usd.toFixed(2).split(".");
  return `$${grouped(whole)}.${cents}`;
}

/** `1 commit`, `2 commits`, `12,345 tokens`; `plural` for words that do not just take an s. */
export function formatCount(n: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(n)} ${n === 1 ? singular : plural}`;
}

/** `12,345`. */
export function formatNumber(n: number): string {
  return grouped(String(Math.trunc(n)));
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit} ${small}${smallUnit}`;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, ",");
}
