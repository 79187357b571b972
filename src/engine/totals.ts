/** Counts as a fold over events; nothing is threaded through returns (spec 4). Cost is the ledger's. */
import type { Event, InputValue, SessionTotals, StepPlace } from "./events.ts";
import { InputResultsFold, type SpentByInput } from "./input-results.ts";
import type { Ledger } from "./ledger.ts";
import type { CommitInfo } from "./ports.ts";

export interface Totals extends Omit<SessionTotals, "filesChanged" | "durationMs"> {
  readonly commitList: readonly CommitInfo[];
  readonly failedInputs: readonly { readonly input: InputValue; readonly message: string }[];
  readonly tolerated: readonly { readonly at: StepPlace; readonly message: string }[];
}

/** What went into work that is done again, and how long the session was at work before. */
export interface Spent {
  readonly knownCostUsd: number;
  readonly isCostUnknown: boolean;
  readonly tokens: number;
  readonly cutShort: number;
  readonly durationMs: number;
  /** By number, of a session with inputs. */
  readonly inputs?: SpentByInput;
}

export const NOTHING_SPENT: Spent = {
  knownCostUsd: 0,
  isCostUnknown: false,
  tokens: 0,
  cutShort: 0,
  durationMs: 0,
};

/** How long earlier processes were at work on an input. */
export function earlierMs({ inputs }: Spent, { index }: InputValue): number {
  return inputs?.get(index)?.durationMs ?? 0;
}

/** The same as the reader of a journal would count. */
export class TotalsFold {
  #iterations = 0;
  #steps = 0;
  readonly #commits = new Map<string, CommitInfo>();
  readonly inputs: InputResultsFold;
  readonly #tolerated: { readonly at: StepPlace; readonly message: string }[] = [];

  readonly #ledger: Ledger;

  constructor(ledger: Ledger, { inputs }: Pick<Spent, "inputs">) {
    this.#ledger = ledger;
    this.inputs = new InputResultsFold(inputs);
  }

  add(event: Event): void {
    this.inputs.add(event);
    switch (event.type) {
      case "iteration-started":
        this.#iterations += 1;
        return;
      case "commit-made":
        this.#commits.set(event.commit.sha, event.commit);
        return;
      case "step-finished":
        if (event.at.depth === 0 && event.conclusion !== "skipped") this.#steps += 1;
        if (event.failure !== null && event.conclusion === "tolerated")
          this.#tolerated.push({ at: event.at, message: event.failure.message });
        return;
      default:
    }
  }

  /** @param reachable commits that are still in history; what was rolled back does not count. */
  totals(reachable: ReadonlySet<string> | null): Totals {
    const commitList = [...this.#commits.values()].filter(({ sha }) => reachable?.has(sha) ?? true);
    const { costUsd, unknownCosts, cutShort, tokens } = this.#ledger.total;
    return {
      iterations: this.#iterations,
      steps: this.#steps,
      commits: commitList.length,
      costUsd: unknownCosts > 0 ? null : costUsd,
      cutShort,
      knownCostUsd: costUsd,
      unknownCosts,
      tokens,
      commitList,
      failedInputs: this.inputs.failed,
      tolerated: this.#tolerated,
    };
  }
}
