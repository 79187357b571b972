import type { TreeLook, TreePoint } from "../engine/ports.ts";
import type { JournalLine } from "./journal-line.ts";

/** Where the session left the tree, as far as it could say. */
export interface LastPlace {
  readonly head: string;
  readonly branch: string | null;
  /** What `git status` said at that moment; `null`: a unit may have changed the tree since. */
  readonly look: TreeLook | null;
  /** As it was left by a session that was stopped; `null`: it was killed, or is over. */
  readonly left: TreePoint | null;
}

/** From then on the tree may be another one. The first attempt of a lane is told before the tree is looked at. */
const BEGINS: ReadonlySet<string> = new Set([
  "attempt-started",
  "retry-started",
  "process-started",
]);

/** Who resolves a merge by hand works in there, and is asked to. */
function isUnmerged({ ok, stop }: Extract<JournalLine, { type: "input-finished" }>): boolean {
  return !ok && (stop === "merge-conflict" || stop === "merge-gate");
}

/** Follows where HEAD and the tree are. */
export class Whereabouts {
  #head: string | null = null;
  #branch: string | null = null;
  #look: TreeLook | null = null;
  #left: TreePoint | null = null;

  see(entry: JournalLine): void {
    if (entry.type === "answer") this.#answer(entry.call, entry.value);
    else if (BEGINS.has(entry.type)) this.#goOn();
    else if (entry.type === "rolled-back" || entry.type === "unit-restarted") {
      this.#head = entry.head;
      this.#goOn();
    } else if (entry.type === "input-left") this.#leave(entry.left);
    else if (entry.type === "session-finished" && entry.left !== undefined) this.#leave(entry.left);
    else if (entry.type === "input-finished" && isUnmerged(entry)) this.#head = null;
  }

  /** The branch went forward, and the tree with it. */
  moved(head: string): void {
    this.#head = head;
    this.#goOn();
  }

  last(): LastPlace | null {
    if (this.#head === null) return null;
    return { head: this.#head, branch: this.#branch, look: this.#look, left: this.#left };
  }

  #goOn(): void {
    this.#look = null;
    this.#left = null;
  }

  #leave(left: TreePoint): void {
    this.#left = left;
    this.#head = left.head;
    this.#branch = left.branch;
  }

  #answer(call: string, value: unknown): void {
    this.#left = null;
    if (call === "look") {
      const look = value as TreeLook; // The answer of that name.
      this.#look = look;
      this.#head = look.head;
      this.#branch = look.branch;
    } else if (call === "commit" || call === "rollback" || call === "keep") {
      this.#look = null;
      const sha: unknown =
        typeof value === "object" && value !== null ? Reflect.get(value, "sha") : null;
      if (typeof sha === "string") this.#head = sha;
    }
  }
}
