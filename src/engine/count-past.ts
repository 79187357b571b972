/** What the events of earlier processes of a session come to, before it goes on (spec 6.5, 7). */
import type { Budget } from "./budget.ts";
import type { Event } from "./events.ts";
import type { Past } from "./lane.ts";

/**
 * All of it at once: an input whose turn has not come again has spent its money, too. The warnings that are due
 * after it; in the middle of it one would tell a part as the whole.
 */
export function countPast(
  { lanes, segment }: Past,
  budget: Budget,
  fold: (event: Event) => void,
): readonly Event[] {
  if (segment === 1) return [];
  for (const { records } of lanes.values())
    for (const record of records) {
      if (record.type !== "event") continue;
      fold(record.event);
      budget.ledger.add(record.event);
    }
  return budget.due();
}
