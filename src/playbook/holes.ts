/** What an unreadable part of a playbook could have declared, so that the plan of the rest says nothing false. */
import type { Step } from "./model.ts";
import type { Problems } from "./problems.ts";
import type { StepPlace } from "./reading.ts";
import type { Tree } from "./tree.ts";

export interface Holes {
  /** Words that may be ids of steps that could not be read, or not wholly: any field of theirs may exist. */
  readonly ids: ReadonlySet<string>;
  /** A step is missing or incomplete: it may declare outputs and capture. */
  readonly steps: boolean;
  /** Names under `env` may be missing. */
  readonly env: boolean;
}

/** A wrong value there takes nothing away that another step could refer to. */
const HARMLESS = new Set([
  "condition",
  "timeout",
  "working_dir",
  "continue_on_error",
  "commit_required",
  "commit_message",
  "auto_commit",
  "analysis",
  "validation",
  "name",
]);

/** Notes down, while a playbook is read, which steps came out with something missing. */
export class HoleFinder {
  readonly #problems: Problems;
  readonly #ids = new Set<string>();
  #found = false;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  watch(
    read: (tree: Tree, place: StepPlace) => Step | null,
  ): (tree: Tree, place: StepPlace) => Step | null {
    return (tree, place) => {
      const before = this.#problems.errorCount;
      const step = read(tree, place);
      if (step === null || (this.#problems.errorCount > before && this.#isHole(tree, before))) {
        this.#found = true;
        this.#collect(tree);
      }
      return step;
    };
  }

  /** @param header errors stand outside of the steps */
  holes(header: boolean): Holes {
    return { ids: this.#ids, steps: this.#found, env: this.#found || header };
  }

  #isHole(tree: Tree, before: number): boolean {
    if (tree.kind !== "mapping") return true;
    const harmless = [...tree.entries].flatMap(([key, entry]) => (HARMLESS.has(key) ? entry : []));
    return this.#problems
      .errorsFrom(before)
      .some(
        ({ range }) =>
          !harmless.some(
            ({ key, value }) => range.start >= key.range.start && range.end <= value.range.end,
          ),
      );
  }

  /** Every word could be the id: its key may be the mistake. */
  #collect(tree: Tree): void {
    if (tree.kind === "list") for (const item of tree.items) this.#collect(item);
    if (tree.kind === "mapping")
      for (const { value } of tree.entries.values()) this.#collect(value);
    if (tree.kind === "scalar" && /^[A-Za-z_][\w-]{0,199}$/.test(tree.text.value))
      this.#ids.add(tree.text.value);
  }
}
