/** What a session has spent: a pure fold over its events, per step, per model and in all (spec 6.5). */
import type { Event, StepPlace } from "./events.ts";
import type { ProcessEnd } from "./outcome.ts";
import type { ClaudeUsage, ModelUsage } from "./ports.ts";

/** Of runs of Claude. */
export interface Amount {
  readonly runs: number;
  /** US dollars, as far as they are known. */
  readonly costUsd: number;
  /** Runs whose cost nobody knows; never counted as 0. */
  readonly unknownCosts: number;
  /** Runs that a signal ended before they could say: of unknown cost too, and not in `unknownCosts`. */
  readonly cutShort: number;
  readonly tokens: number;
  readonly durationMs: number;
}

export interface Spending extends Amount {
  /** `model` is null where the program did not say. */
  readonly models: readonly (Amount & { readonly model: string | null })[];
  /** Over all inputs and iterations; `step` is the path in the playbook. */
  readonly steps: readonly (Amount & { readonly step: string; readonly label: string })[];
}

/** One run of Claude that has ended. */
export interface ClaudeRun {
  readonly at: StepPlace;
  readonly end: ProcessEnd | null;
  readonly durationMs: number;
  readonly usage: ClaudeUsage | null;
  readonly model: string | null;
}

export const NO_SPENDING: Spending = { ...amount(), models: [], steps: [] };

/**
 * Spans inputs and resumes: `earlier` is what earlier parts of the session spent and will not tell again;
 * events that were journalled can also be given to {@link Ledger.add} one by one.
 */
export class Ledger {
  #total: Amount;
  readonly #models: Map<string | null, Amount>;
  readonly #steps: Map<string, Amount & { readonly label: string }>;
  /** Runs that have ended inside attempts that have not: `on_success` is still at work. */
  readonly #held = new Map<string, ClaudeRun>();

  constructor(earlier: Spending = NO_SPENDING) {
    const { models, steps, ...total } = earlier;
    this.#total = total;
    this.#models = new Map(models.map(({ model, ...rest }) => [model, rest]));
    this.#steps = new Map(steps.map(({ step, ...rest }) => [step, rest]));
  }

  add(event: Event): void {
    if (event.type !== "attempt-finished" && event.type !== "run-failed") return;
    this.#held.delete(keyOf(event.at));
    this.#spend(event);
  }

  /** Counts a run now; the `attempt-finished` that tells it later does not count it again. */
  hold(run: ClaudeRun): void {
    this.#held.set(keyOf(run.at), run);
  }

  get spending(): Spending {
    const all = new Ledger(this.#told());
    for (const run of this.#held.values()) all.#spend(run);
    return all.#told();
  }

  /** The sums alone, for a look before each step. */
  get total(): Amount {
    return [...this.#held.values()].map(amountOf).reduce(sum, this.#total);
  }

  #told(): Spending {
    return {
      ...this.#total,
      models: [...this.#models].map(([model, each]) => ({ model, ...each })),
      steps: [...this.#steps].map(([step, each]) => ({ step, ...each })),
    };
  }

  #spend(run: ClaudeRun): void {
    const one = amountOf(run);
    if (one.runs === 0) return;
    const { at } = run;
    this.#total = sum(this.#total, one);
    for (const [name, part] of partsOf(run, one))
      this.#models.set(name, sum(this.#models.get(name) ?? amount(), part));
    const step = sum(this.#steps.get(at.step) ?? amount(), one);
    this.#steps.set(at.step, { ...step, label: at.label });
  }
}

/** A prompt that was refused and a program that is missing cost nothing. */
function amountOf({ at, end, usage, durationMs }: ClaudeRun): Amount {
  if (at.kind !== "claude" || end === null || end.kind === "not-started") return amount();
  if (usage !== null) return { ...used(usage), durationMs };
  const isCut = end.kind === "cancelled";
  return { ...amount(), runs: 1, unknownCosts: isCut ? 0 : 1, cutShort: isCut ? 1 : 0, durationMs };
}

/** By model, where the CLI tells it apart; the time is the one's that was asked. */
function partsOf(
  { model, usage, durationMs }: ClaudeRun,
  one: Amount,
): readonly (readonly [model: string | null, part: Amount])[] {
  const models = Object.entries(usage?.models ?? {});
  if (models.length === 0) return [[model, one]];
  return models.map(([name, each]) => [
    name,
    { ...used(each), durationMs: name === model ? durationMs : 0 },
  ]);
}

function used(usage: ModelUsage): Amount {
  const { costUsd, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  return {
    ...amount(),
    runs: 1,
    costUsd: costUsd ?? 0,
    unknownCosts: costUsd === null ? 1 : 0,
    tokens: inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens,
  };
}

function amount(): Amount {
  return { runs: 0, costUsd: 0, unknownCosts: 0, cutShort: 0, tokens: 0, durationMs: 0 };
}

function sum(a: Amount, b: Amount): Amount {
  return {
    runs: a.runs + b.runs,
    costUsd: a.costUsd + b.costUsd,
    unknownCosts: a.unknownCosts + b.unknownCosts,
    cutShort: a.cutShort + b.cutShort,
    tokens: a.tokens + b.tokens,
    durationMs: a.durationMs + b.durationMs,
  };
}

/** One at a time each: attempts of a step follow one another. */
function keyOf({ input, iteration, step }: StepPlace): string {
  return `${input ?? "-"}/${iteration}/${step}`;
}
