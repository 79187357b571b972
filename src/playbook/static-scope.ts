/** Which references can have a value at a step, known before anything runs (spec 3.1). */
import { nearest } from "../lib/nearest.ts";
import type { Holes } from "./holes.ts";
import {
  CAPTURED,
  GROUPS,
  INPUT_NAMES,
  isCapitalName,
  SESSION_NAMES,
  STEP_FIELDS,
} from "../values/names.ts";
import type { Reference } from "../values/reference.ts";
import type { Step } from "./model.ts";

/** What the plan knows of the inputs; `unknown`: `validate`, which sees no command line. */
export type InputsKnown = "unknown" | { readonly count: number; readonly allHaveFiles: boolean };

/** `needs-input` becomes a note where no command line is known. */
export interface NameProblem {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

interface KnownStep {
  readonly kind: Step["kind"];
  readonly outputs: ReadonlySet<string>;
  /** Declared outputs are set when the step is over, not yet in its own handlers. */
  readonly done: boolean;
}

/** Walks along with the plan; every method is constant in the number of steps. */
export class StaticScope {
  readonly #inputs: InputsKnown;
  readonly #environment: ReadonlySet<string> | null;
  readonly #ids: ReadonlySet<string>;
  readonly #holes: Holes;
  /** Names under `env:` of the step at hand. */
  stepEnv: ReadonlySet<string> = new Set();
  readonly #steps = new Map<string, KnownStep>();
  readonly #outputs = new Map<string, string[]>();
  readonly #kinds = new Set<Step["kind"]>();
  #captured = false;
  #failing = 0;

  constructor(known: {
    readonly inputs: InputsKnown;
    /** Names that `env.X` can have at every step; `null`: unknown. */
    readonly environment: ReadonlySet<string> | null;
    /** Of all steps, wherever they stand. */
    readonly ids: ReadonlySet<string>;
    /** Of a playbook that was read in part. */
    readonly holes?: Holes | null;
  }) {
    this.#inputs = known.inputs;
    this.#holes = known.holes ?? { ids: new Set(), steps: false, env: false };
    this.#environment = this.#holes.env ? null : known.environment;
    this.#ids = known.ids;
  }

  /** Inside the handlers of a step that may have failed. */
  enterFailure(): void {
    this.#failing += 1;
  }

  leaveFailure(): void {
    this.#failing -= 1;
  }

  /** The step has run at least one attempt: its fields have values, its declared outputs not yet. */
  started(id: string | null, kind: KnownStep["kind"], captures: boolean): void {
    this.#kinds.add(kind);
    if (captures) this.#captured = true;
    if (id !== null) this.#steps.set(id, { kind, outputs: new Set(), done: false });
  }

  finished(id: string | null, kind: KnownStep["kind"], outputs: readonly string[]): void {
    for (const name of outputs) {
      const owners = this.#outputs.get(name);
      if (owners === undefined) this.#outputs.set(name, [id ?? ""]);
      else owners.push(id ?? "");
    }
    if (id !== null) this.#steps.set(id, { kind, outputs: new Set(outputs), done: true });
  }

  /** Is a plain name mmm's in shell text? Everything else is the shell's own. */
  isKnownPlain(name: string): boolean {
    return isCapitalName(name) || this.#outputs.has(name);
  }

  check(reference: Reference): NameProblem | null {
    const [head, field] = reference.path;
    if (typeof head !== "string") return unknown(reference, []);
    if (field === undefined || typeof field === "number") return this.#checkPlain(reference, head);
    if (head === "env") return this.#checkEnv(reference, field);
    const group = GROUPS[head];
    if (group !== undefined && !this.#steps.has(head))
      return this.#checkGroup(reference, { head, field, group });
    return this.#checkStep(reference, head, field);
  }

  #checkPlain(reference: Reference, name: string): NameProblem | null {
    if (INPUT_NAMES.some((each) => each === name)) return this.#checkInput(reference, name);
    if (name === CAPTURED) {
      if (this.#captured || this.#holes.steps) return null;
      return {
        code: "nothing-captured",
        message: `${reference.text}: no earlier step has capture_output: true`,
      };
    }
    if (isCapitalName(name)) return null;
    const owners = this.#outputs.get(name);
    if (owners !== undefined && owners.length === 1) return null;
    if (owners !== undefined) {
      return {
        code: "ambiguous-output",
        message: `${reference.text}: several steps declare an output called ${name}`,
        help: `write ${owners
          .slice(0, 5)
          .map((id) => `\${${id === "" ? "ID" : id}.${name}}`)
          .join(" or ")}`,
      };
    }
    if (this.#steps.has(name)) {
      return {
        code: "unknown-reference",
        message: `${reference.text} names a step, not a value`,
        help: `write \${${name}.output}`,
      };
    }
    if (this.stepEnv.has(name) || this.#environment?.has(name) === true) {
      const help = `write \${env.${name}}`;
      const message = `${reference.text}: nothing of the playbook has this name`;
      return { code: "unknown-reference", message, help };
    }
    if (this.#holes.steps) return null;
    return unknown(reference, [...SESSION_NAMES, ...INPUT_NAMES, ...this.#outputs.keys()]);
  }

  #checkInput(reference: Reference, name: string): NameProblem | null {
    if (reference.fallback !== null) return null;
    if (this.#inputs === "unknown" || this.#inputs.count === 0) {
      return {
        code: "needs-input",
        message: `${reference.text} needs an input`,
      };
    }
    if (name === "FILE" && !this.#inputs.allHaveFiles) {
      return {
        code: "needs-input",
        message: `${reference.text} needs an input that is a file, and --args gives none`,
        help: "give --map PATTERN, or write ${FILE:-...}",
      };
    }
    return null;
  }

  #checkEnv(reference: Reference, name: string): NameProblem | null {
    const { fallback } = reference;
    if (this.#environment === null || fallback !== null) return null;
    if (this.#environment.has(name) || this.stepEnv.has(name)) return null;
    return {
      code: "unknown-reference",
      message: `${reference.text}: ${name} is neither declared under env nor set in the environment`,
      help: `declare it under env, or write \${env.${name}:-...}`,
    };
  }

  #checkGroup(
    reference: Reference,
    { head, field, group }: { head: string; field: string; group: readonly string[] },
  ): NameProblem | null {
    if (!group.includes(field))
      return unknownField(reference, { owner: head, field, fields: group });
    if (head === "project") return null;
    const kind =
      head === "claude" ? "claude" : head === "shell" || head === "test" ? "shell" : null;
    if (head === "error") {
      if (this.#failing > 0) return null;
      return {
        code: "error-outside-handler",
        message: `${reference.text} has a value only inside on_failure and on_exit_code`,
      };
    }
    const there = kind === null ? this.#kinds.size > 0 : this.#kinds.has(kind);
    if (there || this.#holes.steps) return null;
    return {
      code: "nothing-earlier",
      message: `${reference.text}: no ${kind === null ? "" : `${kind} `}step stands earlier`,
    };
  }

  #checkStep(reference: Reference, id: string, field: string): NameProblem | null {
    if (this.#holes.ids.has(id)) return null;
    const step = this.#steps.get(id);
    if (step === undefined) {
      if (id === "params" || id === "item") {
        return {
          code: "not-yet",
          message: `${reference.text}: ${id} values are not supported by this version of mmm`,
        };
      }
      if (this.#ids.has(id)) {
        return {
          code: "not-yet-run",
          message: `${reference.text}: step ${id} has not run here`,
          help: "references look back, to steps that stand earlier or enclose",
        };
      }
      return unknown(reference, [...this.#steps.keys(), ...Object.keys(GROUPS)]);
    }
    if (STEP_FIELDS.some((each) => each === field) || step.outputs.has(field)) return null;
    if (field === "spec" && step.kind === "claude" && step.done) return null;
    const fields = [...STEP_FIELDS, ...step.outputs, ...(step.kind === "claude" ? ["spec"] : [])];
    return unknownField(reference, { owner: `step ${id}`, field, fields });
  }
}

function unknown(reference: Reference, candidates: readonly string[]): NameProblem {
  // The latest 500 are enough to guess a typing mistake, and keep 10 000 wrong names linear.
  const near = nearest(String(reference.path[0]), candidates.slice(-500));
  const dotted = reference.path.length > 1;
  const what = dotted ? "no earlier step has this id" : "nothing has this name";
  // A plain name that nobody knows is the shell's own in shell text, so that hint is for other text only.
  const bare = reference.text.startsWith("$")
    ? "$${ stands for a literal ${"
    : `a text stands in single quotes, as in '${reference.text}'`;
  const otherwise = dotted ? `give an earlier step \`id: ${String(reference.path[0])}\`` : bare;
  return {
    code: "unknown-reference",
    message: `${reference.text}: ${what}`,
    help: near === null ? otherwise : `did you mean \`${near}\`?`,
  };
}

function unknownField(
  reference: Reference,
  { owner, field, fields }: { owner: string; field: string; fields: readonly string[] },
): NameProblem {
  const near = nearest(field, fields);
  return {
    code: "unknown-field",
    message: `${reference.text}: ${owner} has no ${field}`,
    help: near === null ? `it has ${fields.join(", ")}` : `did you mean \`${near}\`?`,
  };
}
