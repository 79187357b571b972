/** Whose an event is, in a session with inputs. */
import type { Event, LiveEvent } from "./events.ts";

/** The number of the input; `null`: the session's own. */
export function ownerOf(event: Event | LiveEvent): number | null {
  if ("at" in event) return event.at.input;
  if (!("input" in event) || event.input === null || event.input === undefined) return null;
  return typeof event.input === "number" ? event.input : event.input.index;
}
