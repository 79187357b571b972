/** A session whose surroundings broke (exit 3): what is noted, and what is told of it, as well as they allow. */
import { existsSync } from "node:fs";
import type { Event } from "../engine/events.ts";
import type { Redactor } from "../lib/redact.ts";
import type { Reporter } from "../report/reporter.ts";
import { recordBreak, type SessionSummary } from "../session/state.ts";
import type { WorktreeRecord } from "../session/worktree-file.ts";
import { systemClock } from "./world.ts";

export function noteBreak(
  error: unknown,
  {
    files,
    summary,
    redactor,
  }: {
    readonly files: { readonly state: string; readonly session: string };
    readonly summary: SessionSummary;
    readonly redactor: Redactor;
  },
): void {
  const message = redactor.text(error instanceof Error ? error.message : String(error));
  try {
    recordBreak(files, summary, { message, endedAt: systemClock.now().toISOString() });
  } catch {
    // A full disk stopped the run, and now it stops this note; the journal has what happened before.
  }
}

/** The worktree is where a resume goes on; `null`: it is what broke. */
export function keptFor({ name, path: place }: WorktreeRecord): Event | null {
  if (!existsSync(place)) return null;
  const next = [`mmm resume ${name}`];
  return { type: "worktree-kept", session: name, path: place, why: null, next };
}

/** Nothing that stays on the disk goes unsaid. */
export function tellLeft(
  events: readonly (Event | null)[],
  to: {
    readonly tell: (event: Event) => void;
    readonly reporter: Reporter;
    readonly redactor: Redactor;
  },
): void {
  for (const event of events) {
    if (event === null) continue;
    try {
      to.tell(event);
    } catch {
      // The journal may be what is broken: people have to see it all the same.
      to.reporter.event(to.redactor.value(event));
    }
  }
}
