/** Room on the disk for a session's last words: what was paid for, and why it stopped (spec 7, decision 0017). */
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";

/** A few answers of Claude as text, and the records of the session's end. */
const RESERVE_BYTES = 128 * 1024;

export class Reserve {
  readonly #file: string;
  #state: "empty" | "kept" | "spent" = "empty";

  /** Makes nothing yet. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Throws what the disk says when there is not that much room. */
  fill(): void {
    try {
      // Zeros would take no room on a disk that compresses.
      writeFileSync(this.#file, randomBytes(RESERVE_BYTES), { flush: true });
    } catch (error) {
      rmSync(this.#file, { force: true });
      throw error;
    }
    this.#state = "kept";
  }

  /** To be called when a write has found the disk full. `true`: there was room, and it is free now. */
  release(): boolean {
    if (this.#state !== "kept") return false;
    const isFree = removed(this.#file);
    this.#state = "spent";
    return isFree;
  }

  get isKept(): boolean {
    return this.#state === "kept";
  }

  /** The disk is full: nothing more is to be begun. */
  get isSpent(): boolean {
    return this.#state === "spent";
  }

  /** The session is over. */
  drop(): void {
    if (this.#state === "kept") removed(this.#file);
    this.#state = "empty";
  }
}

function removed(file: string): boolean {
  try {
    rmSync(file, { force: true });
    return true;
  } catch {
    // Its folder was closed meanwhile: there are worse troubles then, and they are told.
    return false;
  }
}

/** Full, or over what its owner may have; also of an error that wraps what the disk said. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")) return true;
  return error.cause !== undefined && isDiskFull(error.cause);
}
