/** Which step needs which: references of a plan to the steps whose values they are (spec 3.1). */
import { unreachable } from "../lib/unreachable.ts";
import type { Condition } from "../values/condition/compile.ts";
import type { Reference } from "../values/reference.ts";
import { CAPTURED } from "../values/names.ts";
import type { PlannedGate, PlannedMetric, PlannedStep } from "./plan-model.ts";

/** A step that has to run before, and what is taken of it. */
export interface Dependency {
  /** Its path: `3`, `3.on_failure.1`. */
  readonly step: string;
  /** As written, each once: `review.spec`, `shell.output`. */
  readonly references: readonly string[];
}

/** By path, in the order they stand; a step that needs none has no entry. */
export function dependenciesOf(
  steps: readonly PlannedStep[],
): ReadonlyMap<string, readonly Dependency[]> {
  const walk = new Walk();
  for (const step of steps) walk.step(step);
  return walk.found;
}

class Walk {
  readonly found = new Map<string, readonly Dependency[]>();
  readonly #ids = new Map<string, string>();
  /** By name of a declared output. */
  readonly #outputs = new Map<string, string>();
  readonly #latest = new Map<PlannedStep["kind"] | "last" | "captured", string>();
  /** Steps whose failure is being handled, outermost first. */
  readonly #failing: PlannedStep[] = [];

  step(planned: PlannedStep): void {
    const { step, path } = planned;
    const needed = new Map<string, Set<string>>();
    const add = (source: string | undefined, name: string): void => {
      if (source === undefined || source === path) return;
      needed.set(source, (needed.get(source) ?? new Set()).add(name));
    };
    for (const reference of referencesOf(planned)) add(this.#sourceOf(reference), reference.name);
    if (planned.kind === "claude" && planned.step.continues !== null) {
      const id = planned.step.continues.step;
      add(id === null ? this.#latest.get("claude") : this.#ids.get(id), "continue_session");
    }
    if (step.id !== null) this.#ids.set(step.id, path);
    if (planned.kind === "foreach") for (const each of planned.steps) this.step(each);
    this.#ran(planned);
    this.#handlers(planned);
    this.#ran(planned);
    for (const { name } of step.outputs) this.#outputs.set(name, path);
    const late = planned.validation.flatMap(gateReferences);
    for (const reference of [...late, ...(planned.commitMessage?.references ?? [])])
      add(this.#sourceOf(reference), reference.name);
    if (needed.size > 0)
      this.found.set(
        path,
        [...needed].map(([source, names]) => ({ step: source, references: [...names] })),
      );
  }

  #ran({ kind, path, step }: PlannedStep): void {
    this.#latest.set(kind, path);
    this.#latest.set("last", path);
    if (step.captureOutput) this.#latest.set("captured", path);
  }

  #handlers(planned: PlannedStep): void {
    this.#failing.push(planned);
    for (const step of planned.onFailure?.steps ?? []) this.step(step);
    for (const { steps } of planned.onExitCode.values()) for (const step of steps) this.step(step);
    this.#failing.pop();
    for (const step of planned.onSuccess) this.step(step);
  }

  #sourceOf({ path: [head, field] }: Reference): string | undefined {
    if (typeof head !== "string") return undefined;
    if (head === CAPTURED) return this.#latest.get("captured");
    if (typeof field !== "string") return this.#outputs.get(head);
    const byId = this.#ids.get(head);
    if (byId !== undefined) return byId;
    const failing = this.#failing.at(-1);
    switch (head) {
      case "error":
        return failing?.path;
      case "shell":
      case "test":
        return failing?.kind === "shell" ? failing.path : this.#latest.get("shell");
      case "claude":
        return failing?.kind === "claude" ? failing.path : this.#latest.get("claude");
      case "last":
        return this.#latest.get("last");
      default:
        return this.#outputs.get(head);
    }
  }
}

/** All but those of its gates and its commit message, which are for when it is over. */
function referencesOf(planned: PlannedStep): readonly Reference[] {
  const templates =
    planned.kind === "claude"
      ? [planned.prompt, ...planned.args]
      : planned.kind === "shell"
        ? [planned.run, planned.stdin]
        : [];
  const listed = planned.kind === "foreach" ? listReferences(planned.items) : [];
  const asked = planned.condition === null ? [] : askedBy(planned.condition);
  const others = [...planned.env.map(({ value }) => value), planned.workingDir, ...templates];
  return [...asked, ...listed, ...others.flatMap((template) => template?.references ?? [])];
}

function listReferences(
  items: Extract<PlannedStep, { kind: "foreach" }>["items"],
): readonly Reference[] {
  if (items.kind === "shell") return items.run.references;
  return items.kind === "reference" && items.reference !== null ? [items.reference] : [];
}

function askedBy({ references }: Condition): readonly Reference[] {
  return [...references.values()].map((each) => each.reference);
}

function gateReferences({ check }: PlannedGate): readonly Reference[] {
  switch (check.kind) {
    case "expression":
      return askedBy(check.condition);
    case "shell":
      return check.run.references;
    case "project":
      return [];
    case "metric":
      return metricReferences(check.metric);
    default:
      return unreachable(check);
  }
}

function metricReferences(metric: PlannedMetric): readonly Reference[] {
  if (metric.kind === "shell") return metric.run.references;
  if (metric.kind !== "coverage") return [];
  return [...metric.file.references, ...(metric.run?.references ?? [])];
}
