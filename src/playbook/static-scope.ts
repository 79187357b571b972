/** Which references can have a value at a step, known before anything runs (spec 3.1). */
import type { Holes } from "./holes.ts";
import {
  CAPTURED,
  GROUPS,
  INPUT_NAMES,
  isCapitalName,
  isLoopName,
  LOOP_FIELDS,
  SESSION_NAMES,
  STEP_FIELDS,
} from "../values/names.ts";
import type { Reference } from "../values/reference.ts";
import type { ForeachStep, ParamType, Step } from "./model.ts";
import { LoopScope } from "./loop-scope.ts";
import {
  type NameProblem,
  noInputInMerge,
  onlyInMerge,
  paramProblem,
  secretsAreVariables,
  unknown,
  unknownConversation,
  unknownField,
} from "./name-problems.ts";
import { UndoMap } from "./undo-map.ts";

/** What the plan knows of the inputs; `unknown`: `validate`, which sees no command line. */
export type InputsKnown = "unknown" | { readonly count: number; readonly allHaveFiles: boolean };

interface KnownStep {
  readonly kind: Step["kind"];
  readonly outputs: ReadonlySet<string>;
  /** Declared outputs are set when the step is over, not yet in its own handlers. */
  readonly done: boolean;
}

const MOST_OWNERS = 5;

/** Walks along with the plan; every method is constant in the number of steps. */
export class StaticScope {
  readonly #inputs: InputsKnown;
  readonly #environment: ReadonlySet<string> | null;
  readonly #ids: ReadonlySet<string>;
  readonly #holes: Holes;
  readonly #params: ReadonlyMap<string, ParamType>;
  readonly #merging: boolean;
  /** Names under `env:` of the step at hand. */
  stepEnv: ReadonlySet<string> = new Set();
  readonly #steps = new UndoMap<string, KnownStep>();
  readonly #outputs = new UndoMap<string, readonly string[]>();
  readonly #loops = new LoopScope();
  /** Ids and outputs of steps of loops that are over. */
  readonly #forgotten = new Set<string>();
  #kinds: ReadonlySet<Step["kind"]> = new Set();
  #captured = false;
  #failing = 0;

  constructor(known: {
    readonly inputs: InputsKnown;
    /** Names that `env.X` can have at every step; `null`: unknown. */
    readonly environment: ReadonlySet<string> | null;
    /** Of all steps, wherever they stand. */
    readonly ids: ReadonlySet<string>;
    readonly params: ReadonlyMap<string, ParamType>;
    /** Of a playbook that was read in part. */
    readonly holes?: Holes | null;
    /** Of the steps of `merge`. */
    readonly merging?: boolean;
  }) {
    this.#inputs = known.inputs;
    this.#merging = known.merging === true;
    this.#holes = known.holes ?? { ids: new Set(), steps: false, env: false };
    this.#environment = this.#holes.env ? null : known.environment;
    this.#ids = known.ids;
    this.#params = known.params;
  }

  /** Inside the handlers of a step that may have failed. */
  enterFailure(): void {
    this.#failing += 1;
  }

  leaveFailure(): void {
    this.#failing -= 1;
  }

  /** The steps of a loop: what they make is seen by later ones of the same item, and by nobody after it. */
  inLoop<T>({ items }: ForeachStep, walk: () => T): T {
    const [kinds, captured] = [this.#kinds, this.#captured];
    this.#loops.enter(items.kind === "list" ? items.items : null);
    this.#steps.enter();
    this.#outputs.enter();
    const result = walk();
    for (const name of [...this.#outputs.leave(), ...this.#steps.leave()])
      this.#forgotten.add(name);
    this.#loops.leave();
    [this.#kinds, this.#captured] = [kinds, captured];
    return result;
  }

  /** The step has run at least one attempt: its fields have values, its declared outputs not yet. */
  started(id: string | null, kind: KnownStep["kind"], captures: boolean): void {
    // A loop itself prints nothing.
    if (kind !== "foreach" && !this.#kinds.has(kind)) this.#kinds = new Set([...this.#kinds, kind]);
    if (captures) this.#captured = true;
    if (id !== null) this.#steps.set(id, { kind, outputs: new Set(), done: false });
  }

  finished(id: string | null, kind: KnownStep["kind"], outputs: readonly string[]): void {
    for (const name of outputs) {
      const owners = this.#outputs.get(name) ?? [];
      // Two tell that the name is ambiguous, five are shown.
      if (owners.length < MOST_OWNERS) this.#outputs.set(name, [...owners, id ?? ""]);
    }
    if (id !== null) this.#steps.set(id, { kind, outputs: new Set(outputs), done: true });
  }

  /** Is a plain name mmm's in shell text? Everything else is the shell's own. */
  isKnownPlain(name: string): boolean {
    return isCapitalName(name) || this.#outputs.has(name) || this.#loops.knows(name);
  }

  check(reference: Reference): NameProblem | null {
    const [head, field] = reference.path;
    if (typeof head !== "string") return unknown(reference, []);
    if (head === "item" && field !== undefined) return this.#loops.check(reference, false);
    if (field === undefined || typeof field === "number") return this.#checkPlain(reference, head);
    if (head === "env") return this.#checkEnv(reference, field);
    if (head === "params")
      return paramProblem(reference, field, { params: this.#params, isWhole: !this.#holes.env });
    if (head === "secrets") return secretsAreVariables(reference, field);
    const group = GROUPS[head];
    if (group !== undefined && !this.#steps.has(head))
      return this.#checkGroup(reference, { head, field, group });
    return this.#checkStep(reference, head, field);
  }

  /** `continue_session`: the id of an earlier Claude step, or `null` for the latest one. */
  conversation(id: string | null): NameProblem | null {
    if (this.#holes.steps) return null;
    if (id === null) {
      if (this.#kinds.has("claude")) return null;
      const message = "continue_session: no Claude step stands earlier";
      return { code: "nothing-earlier", message, help: "leave it out in the first one" };
    }
    const step = this.#steps.get(id);
    if (step?.kind === "claude" || this.#holes.ids.has(id)) return null;
    if (step !== undefined) {
      const message = `continue_session: step ${id} is a ${step.kind} step`;
      return { code: "no-conversation", message, help: "name a Claude step" };
    }
    if (this.#ids.has(id)) {
      const help = "name a Claude step that stands earlier";
      return { code: "not-yet-run", ...this.#notHere("continue_session", id, help) };
    }
    const claude = [...this.#steps].flatMap(([name, { kind }]) => (kind === "claude" ? name : []));
    return unknownConversation(id, claude.slice(-500));
  }

  #notHere(what: string, name: string, help: string): { message: string; help: string } {
    if (!this.#forgotten.has(name))
      return { message: `${what}: step ${name} has not run here`, help };
    const message = `${what}: ${name} is of a step in a \`foreach\`; what such a step makes is forgotten when its item ends`;
    return { message, help: "use it in the same `do`, or let the steps of the loop write a file" };
  }

  #checkPlain(reference: Reference, name: string): NameProblem | null {
    if (INPUT_NAMES.some((each) => each === name)) return this.#checkInput(reference, name);
    if (name === CAPTURED) {
      if (this.#captured || this.#holes.steps) return null;
      const message = `${reference.text}: no earlier step has capture_output: true`;
      return { code: "nothing-captured", message };
    }
    if (isCapitalName(name)) return null;
    const owners = this.#outputs.get(name);
    // Outside of loops an output may have such a name.
    if (this.#loops.knows(name) || (isLoopName(name) && owners === undefined))
      return this.#loops.check(reference, owners !== undefined);
    if (owners !== undefined && owners.length === 1) return null;
    if (owners !== undefined) {
      return {
        code: "ambiguous-output",
        message: `${reference.text}: several steps declare an output called ${name}`,
        help: `write ${owners.map((id) => `\${${id === "" ? "ID" : id}.${name}}`).join(" or ")}`,
      };
    }
    if (this.#steps.has(name)) {
      return {
        code: "unknown-reference",
        message: `${reference.text} names a step, not a value`,
        help: `write \${${name}.output}`,
      };
    }
    const isEnv = this.stepEnv.has(name) || this.#environment?.has(name) === true;
    if (isEnv || this.#params.has(name)) {
      const help = `write \${${isEnv ? "env" : "params"}.${name}}`;
      const message = `${reference.text}: nothing of the playbook has this name`;
      return { code: "unknown-reference", message, help };
    }
    if (this.#holes.steps) return null;
    if (this.#forgotten.has(name))
      return { code: "not-yet-run", ...this.#notHere(reference.text, name, "") };
    return unknown(reference, [...SESSION_NAMES, ...INPUT_NAMES, ...this.#outputs.keys()]);
  }

  #checkInput(reference: Reference, name: string): NameProblem | null {
    if (reference.fallback !== null) return null;
    if (this.#merging) return noInputInMerge(reference);
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
    if (head === "merge" && !this.#merging) return onlyInMerge(reference);
    if (head === "project" || head === "merge") return null;
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
      if (this.#ids.has(id)) {
        const help = "references look back, to steps that stand earlier or enclose";
        return { code: "not-yet-run", ...this.#notHere(reference.text, id, help) };
      }
      return unknown(reference, [...this.#steps.keys(), ...Object.keys(GROUPS)]);
    }
    const own: readonly string[] = step.kind === "foreach" ? LOOP_FIELDS : STEP_FIELDS;
    if (own.includes(field) || step.outputs.has(field)) return null;
    if (field === "spec" && step.kind === "claude" && step.done) return null;
    const fields = [...own, ...step.outputs, ...(step.kind === "claude" ? ["spec"] : [])];
    return unknownField(reference, { owner: `step ${id}`, field, fields });
  }
}
