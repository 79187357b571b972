/** What a journal holds of the request, so that `mmm resume` needs no words (spec 7). */
import path from "node:path";
import type { InputValue } from "../engine/events.ts";
import type { SavedFingerprint } from "../git/protection.ts";
import { JournalReader } from "../session/journal-events.ts";
import type { CookRequest } from "./cook-request.ts";

export interface SavedRequest {
  readonly request: CookRequest;
  /** Absolute: where mmm was started; paths in the request are relative to it. */
  readonly from: string;
  /** As they were found then: a glob may match other files now. */
  readonly inputs: readonly InputValue[];
  readonly protectedFiles: readonly SavedFingerprint[];
  /** Absent: in place. */
  readonly worktree?: { readonly root: string; readonly cwd: string };
}

/** Of the session with that folder; `null`: its journal does not say. */
export function requestIn(directory: string): SavedRequest | null {
  for (const event of new JournalReader(path.join(directory, "journal.jsonl")).events())
    if (event["type"] === "request") return savedRequest(event["value"]);
  return null;
}

/** `null`: not what mmm has written. */
export function savedRequest(value: unknown): SavedRequest | null {
  if (typeof value !== "object" || value === null) return null;
  const saved = value as Partial<SavedRequest>; // Its parts are checked below.
  const sound =
    typeof saved.request === "object" &&
    typeof saved.from === "string" &&
    Array.isArray(saved.inputs) &&
    Array.isArray(saved.protectedFiles);
  return sound ? (value as SavedRequest) : null;
}
