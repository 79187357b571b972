/** Commits of a piece of history; the same piece is asked for more than once. */
import type { CommitInfo } from "../engine/ports.ts";
import type { Made } from "./commit.ts";
import { type Place, plumb } from "./place.ts";

export class History {
  readonly #place: Place;
  #last: { from: string; to: string; commits: readonly CommitInfo[] } | null = null;

  constructor(place: Place) {
    this.#place = place;
  }

  /** mmm has just made it. */
  made({ sha, subject, parents }: Made): void {
    const [from, ...others] = parents;
    if (from !== undefined && others.length === 0)
      this.#last = { from, to: sha, commits: [{ sha, subject }] };
  }

  /** Oldest first. */
  async between(from: string, to: string): Promise<readonly CommitInfo[]> {
    if (from === to || to === "") return [];
    if (this.#last?.from !== from || this.#last.to !== to)
      this.#last = { from, to, commits: await this.#read(from, to) };
    return this.#last.commits;
  }

  async #read(from: string, to: string): Promise<readonly CommitInfo[]> {
    const how = ["-z", "--reverse", "--topo-order", "--format=%H %s"];
    const output = await plumb(this.#place, { args: ["log", ...how, `${from}..${to}`, "--"] });
    const lines = output.toString("utf8").split("\0");
    return lines
      .filter((line) => line !== "")
      .map((line) => {
        const space = line.indexOf(" ");
        return { sha: line.slice(0, space), subject: line.slice(space + 1) };
      });
  }
}
