/**
 * Has the account's usage limit been reached, and until when? (spec 6.5). Pure. The CLI tells it in three ways:
 * a `rate_limit_event` with the moment (2.1), a sentence with a time of day and a zone, and `...|<unix seconds>` (1.0, 2.0).
 */
import { asNumber, asObject, asString, type JsonObject } from "../lib/json.ts";

/** The latest `rate_limit_event`. */
export interface RateLimit {
  readonly rejected: boolean;
  /** Unix seconds. */
  readonly resetsAt: number | null;
}

export function readRateLimit(event: JsonObject): RateLimit | null {
  const info = asObject(event["rate_limit_info"]);
  if (info === null) return null;
  const rejected = asString(info["status"]) === "rejected";
  return { rejected, resetsAt: asNumber(info["resetsAt"]) };
}

const SAYS_SO =
  /\b(?:you've hit your|you're out of extra usage|usage limit reached|limit reached\b.*\bresets?|limit will reset)\b/i;

/**
 * `null`: the words of a failed call are about something else. `resetsAt`: ISO, `null` when nobody says.
 *
 * @param text of a result that is an error; an answer may speak of limits without having reached one.
 */
export function usageLimitOf(
  text: string,
  rateLimit: RateLimit | null,
  now: Date,
): { readonly resetsAt: string | null } | null {
  const isRejected = rateLimit !== null && rateLimit.rejected;
  const line = text.slice(0, 1000);
  if (!isRejected && !SAYS_SO.test(line)) return null;
  const seconds = isRejected ? rateLimit.resetsAt : null;
  const stamp = /\|(\d{10})\b/.exec(line)?.[1];
  const at = seconds ?? (stamp === undefined ? null : Number(stamp));
  const reset = at === null ? momentIn(line, now) : new Date(at * 1000);
  return {
    resetsAt: reset === null || Number.isNaN(reset.getTime()) ? null : reset.toISOString(),
  };
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WORDS =
  /\breset(?:s)?(?: at)? (?:(?<month>[a-z]{3})[a-z]* (?<day>\d{1,2}),? (?:\d{4},? )?(?:at )?)?(?<hour>\d{1,2})(?::(?<minute>\d{2}))? ?(?<half>am|pm)(?: \((?<zone>[\w/+-]{1,40})\))?/i;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** `resets 3pm (Europe/Berlin)`, `resets Mar 5, 10:30am (UTC)`: the next such moment. */
function momentIn(text: string, now: Date): Date | null {
  const found = WORDS.exec(text)?.groups;
  if (found === undefined) return null;
  const { month, day, hour, minute, half, zone } = found;
  const wanted =
    ((Number(hour) % 12) + (half?.toLowerCase() === "pm" ? 12 : 0)) * 60 + Number(minute ?? 0);
  const start = Math.ceil(now.getTime() / MINUTE) * MINUTE;
  const local = clockOf(zone ?? "UTC");
  if (local === null) return null;
  const first = start + ((wanted - local(start).minutes + 24 * 60) % (24 * 60)) * MINUTE;
  if (month === undefined) return new Date(first);
  for (let ahead = 0; ahead <= 366; ahead += 1) {
    const candidate = first + ahead * DAY;
    const date = local(candidate);
    if (date.month === MONTHS.indexOf(month.toLowerCase()) && date.day === Number(day))
      return new Date(candidate);
  }
  return null;
}

type Local = (at: number) => {
  readonly month: number;
  readonly day: number;
  readonly minutes: number;
};

/** `null`: no such zone. */
function clockOf(zone: string): Local | null {
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    });
    return (at) => {
      const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, +value]));
      const part = (name: "month" | "day" | "hour" | "minute") => parts.get(name) ?? 0;
      return {
        month: part("month") - 1,
        day: part("day"),
        minutes: part("hour") * 60 + part("minute"),
      };
    };
  } catch {
    return null;
  }
}
