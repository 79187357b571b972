/** `journal.jsonl`: one event a line, appended before the next thing happens (spec 7). */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import type { Event } from "../engine/events.ts";
import { writing } from "./disk.ts";

export interface Journal {
  /** Throws `MmmError` (exit 3) when the line cannot be written: the run must not go on unrecorded. */
  append(event: Event): void;
  close(): void;
}

/** @param now stamps `time`, ISO 8601 in UTC. */
export function openJournal(file: string, now: () => Date): Journal {
  const fd = writing(`open the journal ${file}`, () => openSync(file, "a"));
  let seq = 0;
  let precious = false;
  return {
    append(event) {
      seq += 1;
      const line = JSON.stringify({ v: 1, seq, time: now().toISOString(), ...event });
      writing(`write the journal ${file}`, () => {
        writeSync(fd, `${line}\n`);
        precious ||= isPrecious(event);
        // What cost money or made history survives a power cut; the rest survives a kill.
        if ((precious && event.type === "step-finished") || event.type === "session-finished") {
          fsyncSync(fd);
          precious = false;
        }
      });
    },
    close: () => closeSync(fd),
  };
}

function isPrecious(event: Event): boolean {
  if (event.type === "commit-made") return true;
  return event.type === "attempt-finished" && event.at.kind === "claude";
}
