/**
 * The values of one iteration (spec 3.1). They do not survive it, nor an input.
 *
 * What a step printed stays on disk until somebody refers to it (spec 11).
 */
import { CAPTURED } from "../values/names.ts";
import type { Reference } from "../values/reference.ts";
import type { Value } from "../values/value.ts";
import type { Step } from "../playbook/model.ts";
import { dig, fieldOf, fileOrNull, group, NULL, ofItem } from "./found.ts";
import type { StepConclusion } from "./outcome.ts";
import type { Before } from "./gate-model.ts";
import type { ClaudeResume, ClaudeUsage, CommitInfo, ProjectCommands } from "./ports.ts";

/** What is known of a step that has run; `conclusion` `running` while its handlers are at work. */
export interface StepRecord {
  readonly id: string | null;
  readonly kind: Step["kind"];
  conclusion: StepConclusion | "running";
  /** Both streams as printed; for Claude the result's text. */
  outputFile: string | null;
  stdoutFile: string | null;
  stderrFile: string | null;
  exitCode: number | null;
  success: boolean | null;
  durationMs: number;
  /** `null`: unknown, or no Claude step. */
  costUsd: number | null;
  /** Of the latest attempt of a Claude step that had a conversation; for `continue_session`. */
  claudeSession: string | null;
  /** The conversation that the step goes on with, found at its first attempt; a further one goes on with it too. */
  continued: string | null;
  attempts: number;
  commits: readonly CommitInfo[];
  filesChanged: readonly string[];
  filesAdded: readonly string[];
  readonly outputs: Map<string, Value>;
  /** By plain name of a declared output: the earlier step that has one, too; `null`: none. */
  readonly hides: Map<string, StepRecord | null>;
  /** Declared `file_pattern` outputs, and `spec`: a missing one may mean nothing to do (spec 3.3). */
  readonly fileOutputs: Set<string>;
  /** The spec that was handed out to this step; a further attempt gets it again. */
  spec: string | null;
  /** Of a `foreach` whose items are known. */
  loop: LoopState | null;
  /** Has the step changed the tree? */
  changed: boolean;
  /** `***` stands for a secret in what the latest attempt printed. */
  masked: boolean;
  /** By gate: the figures of its metrics before it ran. */
  readonly before: Map<string, Before>;
}

/** The failed attempt that the handlers see. */
export interface ErrorValues {
  readonly message: string;
  readonly exitCode: number | null;
  readonly step: string;
  /** In its handlers `shell.*` (or `claude.*`) is this attempt's, whatever else has run since (spec 2.3). */
  readonly record: StepRecord;
  /** What the command printed that failed: the gate's, else the attempt's. */
  readonly outputFile: string | null;
}

/** One pass of a loop (spec 2.8). */
export interface ItemValues {
  readonly item: Value;
  /** From 1. */
  readonly index: number;
  readonly total: number;
  /** See {@link Found}. */
  readonly foreign: boolean;
}

/** The items of a loop, made once; a further attempt goes on with those that are not done. */
export interface LoopState {
  readonly items: readonly Value[];
  readonly foreign: boolean;
  /** Indexes, from 1. */
  readonly done: Set<number>;
}

/** `foreign`: made by a command or a model, not written by the user (spec 3.2). */
export type Found =
  | { readonly kind: "value"; readonly value: Value; readonly foreign: boolean }
  /** The whole content of this file. */
  | { readonly kind: "file"; readonly file: string }
  /** A spec or file output that is not there, because its step had nothing to do (spec 3.3). */
  | {
      readonly kind: "nothing-to-do";
      /** Its `id`. */
      readonly step: string | null;
    };

export function newRecord(id: string | null, kind: StepRecord["kind"]): StepRecord {
  return {
    id,
    kind,
    conclusion: "running",
    outputFile: null,
    stdoutFile: null,
    stderrFile: null,
    exitCode: null,
    success: null,
    durationMs: 0,
    costUsd: null,
    claudeSession: null,
    continued: null,
    attempts: 0,
    commits: [],
    filesChanged: [],
    filesAdded: [],
    outputs: new Map(),
    hides: new Map(),
    fileOutputs: new Set(),
    spec: null,
    loop: null,
    changed: false,
    masked: false,
    before: new Map(),
  };
}

const KINDS: ReadonlyMap<string, "shell" | "claude"> = new Map([
  ["shell", "shell"],
  ["test", "shell"],
  ["claude", "claude"],
]);

export class Scope {
  /** Capital-letter variables, also exported to children. */
  readonly #variables: ReadonlyMap<string, { readonly value: Value; readonly foreign: boolean }>;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  #steps = new Map<string, StepRecord>();
  /** Records by the plain name of a declared output; the plan has made sure that it is unambiguous. */
  #owners = new Map<string, StepRecord>();
  /** Of the loops around the step at work, outermost first. */
  readonly #items: ItemValues[] = [];
  readonly #errors: ErrorValues[] = [];
  #shell: StepRecord | null = null;
  #claude: StepRecord | null = null;
  #last: StepRecord | null = null;
  #captured: string | null = null;
  #tolerated = false;
  readonly #params: ReadonlyMap<string, Value>;
  /** For `merge.*`; `null`: nothing is merged here. */
  readonly #merge: Readonly<Record<string, string>> | null;
  /** For texts that are shown or handed to a handler; see `Run.secrets`. */
  readonly mask: (text: string) => string;
  /** By conversation: what the CLI last said was used in it. */
  readonly #reported = new Map<string, ClaudeUsage>();
  /** For `project.*`; `null`: nobody refers to it. */
  project: ProjectCommands | null = null;
  /** `env:` of the playbook and of the step at work; nested steps have their own, and put back what they found. */
  declaredEnv: ReadonlyMap<string, string> = new Map();

  constructor(
    variables: ReadonlyMap<string, { readonly value: Value; readonly foreign: boolean }>,
    environment: Readonly<Record<string, string | undefined>>,
    more: {
      readonly params?: ReadonlyMap<string, Value>;
      readonly mask?: (text: string) => string;
      readonly merge?: Readonly<Record<string, string>>;
    } = {},
  ) {
    this.#params = more.params ?? new Map();
    this.#merge = more.merge ?? null;
    this.mask = more.mask ?? ((text) => text);
    this.#variables = variables;
    this.#environment = environment;
  }

  /** From now on `<id>.x` is this record; a step that runs again replaces its own. */
  begin(record: StepRecord): void {
    if (record.id !== null) this.#steps.set(record.id, record);
  }

  /** Its outputs are taken, or never will be; up to here a plain name was that of an earlier step. */
  declared(record: StepRecord, outputs: readonly { readonly name: string }[]): void {
    for (const { name } of outputs) {
      const earlier = this.#owners.get(name);
      if (earlier !== record) record.hides.set(name, earlier ?? null);
      this.#owners.set(name, record);
    }
  }

  /** Its attempt has failed after all: its handlers and its next attempt see the earlier step's again. */
  undeclared({ hides }: StepRecord): void {
    for (const [name, earlier] of hides)
      if (earlier === null) this.#owners.delete(name);
      else this.#owners.set(name, earlier);
    hides.clear();
  }

  /**
   * The steps of an item see what stands before the loop and in the item; what they make is forgotten when the
   * returned function is called (spec 3.1).
   */
  enterItem(item: ItemValues): () => void {
    const [steps, owners, shell] = [this.#steps, this.#owners, this.#shell];
    const [claude, last, captured] = [this.#claude, this.#last, this.#captured];
    this.#steps = new Map(steps);
    this.#owners = new Map(owners);
    this.#items.push(item);
    return () => {
      this.#items.pop();
      [this.#steps, this.#owners, this.#shell] = [steps, owners, shell];
      [this.#claude, this.#last, this.#captured] = [claude, last, captured];
    };
  }

  /** The latest attempt, for `shell.*`, `claude.*`, `last.*`. */
  attempted(record: StepRecord, captures: boolean): void {
    if (record.kind === "foreach") return;
    if (record.kind === "shell") this.#shell = record;
    if (record.kind === "claude") this.#claude = record;
    this.#last = record;
    if (captures) this.#captured = record.stdoutFile ?? record.outputFile;
  }

  /** A Claude attempt has ended that had this conversation. */
  conversed(record: StepRecord, { session, reported }: ClaudeResume): void {
    record.claudeSession = session;
    if (reported !== null) this.#reported.set(session, reported);
  }

  /**
   * The conversation that a step goes on with: that of step `id`, or (`null`) of the latest Claude step before
   * it. `null`: there is none.
   */
  continuedBy(own: StepRecord, id: string | null): ClaudeResume | null {
    const source = id === null ? this.#claude : this.#steps.get(id);
    own.continued ??= source?.claudeSession ?? null;
    if (own.continued === null) return null;
    return { session: own.continued, reported: this.#reported.get(own.continued) ?? null };
  }

  pushError(error: ErrorValues): void {
    this.#errors.push({ ...error, message: this.mask(error.message) });
  }

  popError(): void {
    this.#errors.pop();
  }

  /** A step has failed, and the iteration goes on. */
  tolerate(): void {
    this.#tolerated = true;
  }

  /** For `failure()`: a failure was tolerated in this iteration, or its handlers are at work. */
  get hasFailed(): boolean {
    return this.#tolerated || this.#errors.length > 0;
  }

  /** Name and value of the variables a child gets; nothing for those without a value. */
  exported(): readonly (readonly [string, Value])[] {
    return [...this.#variables].map(([name, { value }]) => [name, value] as const);
  }

  capturedFile(): string | null {
    return this.#captured;
  }

  /** The value of a reference; the plan has made sure that it can have one. */
  find(reference: Reference): Found {
    const [head, ...rest] = reference.path;
    if (typeof head !== "string") return NULL;
    const variable = this.#variables.get(head);
    if (variable !== undefined) {
      return { kind: "value", value: dig(variable.value, rest), foreign: variable.foreign };
    }
    const item = this.#items.at(-1);
    const ofLoop = item === undefined ? null : ofItem(item, head, rest);
    if (ofLoop !== null) return ofLoop;
    if (head === CAPTURED) return fileOrNull(this.#captured);
    const [field, ...deeper] = rest;
    if (typeof field === "string") {
      const step = this.#steps.get(head);
      if (step !== undefined) return fieldOf(step, field, deeper);
      if (head === "env") {
        return {
          kind: "value",
          value: this.declaredEnv.get(field) ?? this.#environment[field] ?? null,
          foreign: false,
        };
      }
      if (head === "params") {
        const value = this.#params.get(field) ?? null;
        return { kind: "value", value: dig(value, deeper), foreign: false };
      }
      if (head === "project" || head === "merge") return this.#ownWord(head, field);
      if (head === "error") return this.#error(field);
      if (head === "last") return group(this.#last, field);
      const kind = KINDS.get(head);
      if (kind !== undefined) return group(this.#latest(kind), field);
    }
    const owner = this.#owners.get(head);
    return owner === undefined ? NULL : fieldOf(owner, head, rest);
  }

  #latest(kind: "shell" | "claude"): StepRecord | null {
    const failed = this.#errors.at(-1)?.record;
    if (failed?.kind === kind) return failed;
    return kind === "shell" ? this.#shell : this.#claude;
  }

  /** The user's own words, or names that mmm has made, or that were compared with a list: not foreign. */
  #ownWord(head: "project" | "merge", field: string): Found {
    const words: Readonly<Record<string, string | null>> =
      (head === "project" ? this.project : this.#merge) ?? {};
    return { kind: "value", value: words[field] ?? null, foreign: false };
  }

  #error(field: string): Found {
    const error = this.#errors.at(-1);
    if (error === undefined || field === "output") return fileOrNull(error?.outputFile ?? null);
    const value =
      field === "message" ? error.message : field === "exit_code" ? error.exitCode : error.step;
    return { kind: "value", value, foreign: true };
  }
}
