/** What each input has come to, for the table at the end: a fold over the events of all of them. */
import type { Event, InputValue } from "./events.ts";
import type { InputResult } from "./input-events.ts";
import type { SessionStatus, StopReason } from "./outcome.ts";

/** What earlier processes of a session have spent on an input, and no event of its past tells again. */
export interface InputSpent {
  /** US dollars. */
  readonly knownCostUsd: number;
  /** Runs of Claude beside those did not tell theirs. */
  readonly isCostUnknown: boolean;
  /** At work on it, whatever of it is done again. */
  readonly durationMs: number;
}

export type SpentByInput = ReadonlyMap<number, InputSpent>;

interface Row {
  readonly input: InputValue;
  readonly commits: Set<string>;
  knownCostUsd: number;
  isCostUnknown: boolean;
  lastFailure: string;
  stop: StopReason | null;
  ok: boolean;
  durationMs: number | null;
  branch: string | null;
  path: string | null;
  kept: boolean;
  /** Good, and its worktree stays all the same: there is something uncommitted in it. */
  stays: boolean;
}

export class InputResultsFold {
  readonly #rows = new Map<number, Row>();
  readonly #before: SpentByInput;

  constructor(before: SpentByInput = new Map()) {
    this.#before = before;
  }

  add(event: Event): void {
    if ("input" in event && typeof event.input === "object" && event.input !== null) {
      this.#inputEvent(event, this.#row(event.input));
      return;
    }
    if (!("at" in event) || event.at.input === null) return;
    const row = this.#rows.get(event.at.input);
    if (row !== undefined) this.#stepEvent(event, row);
  }

  /** Failed, and not because mmm was told to stop. */
  get failed(): readonly { readonly input: InputValue; readonly message: string }[] {
    return [...this.#rows.values()]
      .filter(({ ok, stop }) => !ok && stop !== null && stop !== "interrupted")
      .sort((a, b) => a.input.index - b.input.index)
      .map(({ input, lastFailure }) => ({ input, message: lastFailure }));
  }

  /**
   * @param inputs all of the session
   * @param ended how a session ended that did not end all of them
   * @param reachable commits that are in the session's history; others count where their branch was kept
   */
  results(
    inputs: readonly InputValue[],
    ended: SessionStatus,
    reachable: ReadonlySet<string>,
  ): readonly InputResult[] {
    return inputs.map((input) => {
      const row = this.#rows.get(input.index);
      if (row === undefined)
        return { ...NOT_RUN, ...costOf(this.#before.get(input.index) ?? NO_COST), input };
      const isKept = row.branch !== null && row.kept;
      const commits = [...row.commits].filter((sha) => isKept || reachable.has(sha));
      return {
        input,
        status: statusOf(row, ended),
        stop: row.stop,
        commits: commits.length,
        ...costOf(row),
        durationMs: row.durationMs,
        message: row.ok || row.stop === null || row.stop === "interrupted" ? null : row.lastFailure,
        branch: isKept ? row.branch : null,
        path: isKept ? row.path : null,
      };
    });
  }

  #row(input: InputValue): Row {
    const known = this.#rows.get(input.index);
    if (known !== undefined) return known;
    const row: Row = {
      input,
      commits: new Set(),
      ...(this.#before.get(input.index) ?? NO_COST),
      lastFailure: "",
      stop: null,
      ok: false,
      durationMs: null,
      branch: null,
      path: null,
      kept: true,
      stays: false,
    };
    this.#rows.set(input.index, row);
    return row;
  }

  #inputEvent(event: Event, row: Row): void {
    switch (event.type) {
      case "input-opened":
        row.branch = event.name;
        row.path = event.path;
        return;
      case "input-kept":
        row.stays = true;
        if (event.gone) row.path = null;
        return;
      case "input-finished":
        row.ok = event.ok;
        row.stop = event.stop;
        row.durationMs = event.durationMs;
        // Of one that has no tree of its own, what it left there was undone.
        // What nobody kept was removed by others.
        if (event.stop !== "interrupted") row.kept = row.stays;
        if (event.message !== null) row.lastFailure = event.message;
        return;
      default:
    }
  }

  #stepEvent(event: Event & { readonly at: unknown }, row: Row): void {
    switch (event.type) {
      case "commit-made":
        row.commits.add(event.commit.sha);
        return;
      case "attempt-finished":
      case "run-failed":
        if (event.at.kind === "claude" && event.end !== null && event.end.kind !== "not-started")
          addCost(row, event.usage?.costUsd ?? null);
        return;
      case "gate-finished":
        if (event.when === "until" && event.verdict !== "ok")
          row.lastFailure = `${event.at.label} was not met${event.why === null ? "" : `: ${event.why}`}`;
        return;
      case "step-finished":
        if (event.failure !== null && event.conclusion !== "tolerated")
          row.lastFailure = `step ${event.at.step} (${event.at.label}): ${event.failure.message}`;
        return;
      default:
    }
  }
}

const NOT_RUN = {
  status: "not-run",
  stop: null,
  commits: 0,
  durationMs: null,
  message: null,
  branch: null,
  path: null,
} as const;

function statusOf({ ok, stop }: Row, ended: SessionStatus): SessionStatus {
  if (stop === null) return ended;
  if (stop === "interrupted") return "interrupted";
  return ok ? "completed" : "failed";
}

type Cost = Pick<Row, "knownCostUsd" | "isCostUnknown">;

const NO_COST: Cost = { knownCostUsd: 0, isCostUnknown: false };

function costOf({
  knownCostUsd,
  isCostUnknown,
}: Cost): Pick<InputResult, "costUsd" | "knownCostUsd"> {
  return { costUsd: isCostUnknown ? null : knownCostUsd, knownCostUsd };
}

/** @param usd `null`: nobody knows */
function addCost(row: Row, usd: number | null): void {
  if (usd === null) row.isCostUnknown = true;
  else row.knownCostUsd += usd;
}
