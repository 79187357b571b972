/** Playbook and request to plan, or problems with their places; nothing has run (spec 3.1, 11). */
import type { Condition } from "../values/condition/compile.ts";
import type { Reference } from "../values/reference.ts";
import { dottedReferences } from "../values/shell/dotted.ts";
import { compileShellText, type ShellText } from "../values/shell/compile.ts";
import type { Value } from "../values/value.ts";
import { compileText, doubleBracesIn, type TextTemplate } from "../values/text.ts";
import type { Diagnostic, Range } from "./diagnostic.ts";
import type { Holes } from "./holes.ts";
import type { PlanCondition } from "./conditions.ts";
import { ValueTypes } from "./value-types.ts";
import { asGate, GatePlanner } from "./plan-gates.ts";
import { boundOf } from "./plan-bound.ts";
import { notesOn } from "./plan-notes.ts";
import { planBody } from "../steps/plan-registry.ts";
import type { PlanCompiler, TextualProblem } from "../steps/plan-kind.ts";
import { filterProblems } from "./text-problems.ts";
import type { ClaudeOptions, FailureHandler, Playbook, SourceText, Step } from "./model.ts";
import type { CommandRules, Plan, PlannedHandler, PlannedStep } from "./plan-model.ts";
import { everyStep } from "./plan-steps.ts";
import { readsOneStream, withSplit } from "./plan-split.ts";
import { type MissingInput, needsInput } from "./needs-input.ts";
import { positionAt, rangeInText, type SourceFile, sourceFile } from "./source.ts";
import { SecretRules, type TextPlace } from "./secret-rules.ts";
import { type InputsKnown, StaticScope } from "./static-scope.ts";

export interface PlanRequest {
  readonly inputs: InputsKnown;
  /** `--max-iterations`. */
  readonly maxIterations: number | null;
  /** The environment mmm was started in; `null`: not known, `env.X` is not checked. */
  readonly environment: Readonly<Record<string, string | undefined>> | null;
  /** `above` beats the playbook's `claude:` (`--model`), `below` is beaten by it (environment, config). */
  readonly claude: { readonly above: ClaudeOptions; readonly below: ClaudeOptions };
  /** Values of the parameters; left out: not known, as in `validate`. */
  readonly params?: ReadonlyMap<string, Value>;
  /** By command name, without the slash. */
  readonly commandRules: ReadonlyMap<string, CommandRules>;
  /** From `conditionsOf`; `null` when no step has a condition. */
  readonly conditions: PlanCondition | null;
}

/** One walk over the steps, linear in their number. With `holes` only the diagnostics mean something. */
export function planPlaybook(
  playbook: Playbook,
  request: PlanRequest,
  holes: Holes | null = null,
): { readonly plan: Plan | null; readonly diagnostics: readonly Diagnostic[] } {
  const planner = new Planner(playbook, request, holes);
  const plan = planner.plan();
  const failed = planner.diagnostics.some((each) => each.severity === "error");
  return { plan: failed ? null : plan, diagnostics: planner.diagnostics };
}

class Planner {
  readonly diagnostics: Diagnostic[] = [];
  readonly #playbook: Playbook;
  readonly #request: PlanRequest;
  readonly #source: SourceFile;
  readonly #scope: StaticScope;
  readonly #secrets: SecretRules;
  readonly #compiler: PlanCompiler;
  readonly #types = new ValueTypes();
  readonly #gates: GatePlanner;
  #usesProject = false;
  /** A gate is compiled at each step that lists it: what is wrong with it is told once. */
  readonly #reported = new Set<string>();
  /** Ids whose stdout or stderr somebody wants alone. */
  readonly #split = new Set<string>();
  /** References to an input that is not there: one thing to mend, however many they are. */
  readonly #missing: MissingInput[] = [];

  constructor(playbook: Playbook, request: PlanRequest, holes: Holes | null) {
    this.#playbook = playbook;
    this.#request = request;
    this.#source = sourceFile(playbook.file, playbook.text);
    const environment = request.environment && new Set(Object.keys(request.environment));
    for (const { name } of [...playbook.env, ...playbook.secrets]) environment?.add(name);
    this.#secrets = new SecretRules(playbook);
    const ids = new Set([...everyStep(playbook.steps)].flatMap(({ id }) => id ?? []));
    const params = new Map(playbook.params.map(({ name, type }) => [name, type]));
    this.#scope = new StaticScope({ inputs: request.inputs, environment, ids, params, holes });
    const { above, below } = request.claude;
    this.#compiler = {
      text: (source) => this.#text(source),
      prompt: (source) => this.#text(source, "prompt"),
      shell: (source) => this.#shell(source),
      report: (source, problem) => this.#report(source, problem),
      conversation: (step) => this.#scope.conversation(step),
      claudeOptions: (own) => ({ ...below, ...playbook.claude, ...above, ...own }),
      rulesOf: (command) => request.commandRules.get(command) ?? null,
    };
    const gates = {
      shell: (source: SourceText) => this.#shell(source),
      text: (source: SourceText) => this.#text(source),
      expression: (source: SourceText) => this.#condition(source, asGate),
      report: (problem: Diagnostic) => this.#tell(problem),
      placeOf: (range: Range) => this.#placeOf(range),
    };
    this.#gates = new GatePlanner(playbook, gates, holes !== null);
  }

  plan(): Plan {
    const plan = this.#walk();
    const missing = needsInput(this.#missing, this.#playbook.file);
    if (missing !== null) this.diagnostics.push(missing);
    const asked = this.#request.params !== undefined;
    this.diagnostics.push(...notesOn(this.#playbook, { asked }));
    return plan;
  }

  #walk(): Plan {
    const playbook = this.#playbook;
    const env = playbook.env.map(({ name, value }) => ({
      name,
      value: this.#text(value, "header-env"),
    }));
    const steps = playbook.steps.map((step, index) => this.#step(step, String(index + 1), false));
    const params = this.#request.params ?? new Map();
    this.#scope.stepEnv = new Set();
    this.#secrets.enter(null);
    const until = this.#gates.until(playbook.until);
    this.#gates.reportUnused();
    return {
      playbook,
      params,
      env,
      steps: withSplit(steps, this.#split),
      until,
      usesProject: this.#usesProject,
      ...boundOf(playbook, this.#request),
    };
  }

  #step(step: Step, path: string, inHandler: boolean): PlannedStep {
    this.#scope.stepEnv = new Set(step.env.map(({ name }) => name));
    this.#secrets.enter(step);
    for (const { source, ...problem } of this.#secrets.problemsOf(step)) {
      this.#report(source, { ...problem, severity: "error", ...whole(source) });
    }
    const condition = step.condition && this.#condition(step.condition);
    const env = step.env.map(({ name, value }) => {
      const text = this.#text(value, "env");
      this.#secrets.declare(name, text.references);
      return { name, value: text };
    });
    const workingDir = step.workingDir && this.#text(step.workingDir);
    const { body, needsCommit } = planBody(step, this.#compiler, { inHandler });
    this.#scope.started(step.id, step.kind, step.captureOutput);
    const handlers = this.#handlers(step, path);
    this.#scope.stepEnv = new Set(step.env.map(({ name }) => name));
    this.#secrets.enter(step);
    for (const { name, value } of env) this.#secrets.declare(name, value.references);
    this.#scope.finished(
      step.id,
      step.kind,
      step.outputs.map(({ name }) => name),
    );
    this.#types.declare(step);
    const common = {
      path,
      place: this.#placeOf(step.range),
      condition,
      env,
      workingDir,
      commitMessage: step.commitMessage && this.#text(step.commitMessage),
      commitRequired: step.commitRequired ?? needsCommit,
      commitDefaulted: step.commitRequired === null,
      split: step.captureOutput || readsOneStream(step),
      validation: this.#validation(step),
      ...handlers,
    };
    return { ...common, ...body };
  }

  #validation(step: Step): PlannedStep["validation"] {
    this.#secrets.enterGates();
    return this.#gates.validation(step.validation);
  }

  #placeOf({ start }: Range): string {
    return `${this.#playbook.file}:${positionAt(this.#source, start).line}`;
  }

  #handlers(step: Step, path: string): Pick<PlannedStep, "onFailure" | "onExitCode" | "onSuccess"> {
    this.#scope.enterFailure();
    const onFailure = step.onFailure && this.#handler(step.onFailure, `${path}.on_failure`);
    const onExitCode = new Map<number, PlannedHandler>();
    for (const { code, handler } of step.onExitCode) {
      onExitCode.set(code, this.#handler(handler, `${path}.on_exit_code.${code}`));
    }
    this.#scope.leaveFailure();
    const onSuccess = step.onSuccess.map((each, index) =>
      this.#step(each, `${path}.on_success.${index + 1}`, true),
    );
    return { onFailure, onExitCode, onSuccess };
  }

  #handler(handler: FailureHandler, path: string): PlannedHandler {
    const steps = handler.steps.map((each, index) =>
      this.#step(each, `${path}.${index + 1}`, true),
    );
    return { handler, steps };
  }

  #condition(
    source: SourceText,
    worded: (problem: TextualProblem) => TextualProblem = (problem) => problem,
  ): Condition | null {
    const { conditions } = this.#request;
    if (conditions === null) throw new Error("a playbook with conditions was planned without them");
    return conditions(source.value, {
      reference: (reference) => this.#reference(source, reference, "plain"),
      report: (problem) => this.#report(source, worded(problem)),
      typeOf: (found) => this.#types.of(found),
    });
  }

  #text(source: SourceText, place: TextPlace = "plain"): TextTemplate {
    const forClaude = place === "prompt";
    const { template, problems } = compileText(source.value);
    for (const { code, message, help, start, end } of problems) {
      this.#report(source, { code, severity: "error", message, help, start, end });
    }
    for (const reference of template.references) this.#reference(source, reference, place);
    for (const problem of filterProblems(template, forClaude)) this.#report(source, problem);
    return template;
  }

  #shell(source: SourceText): ShellText {
    const { text, problems } = compileShellText(source.value, (name) =>
      this.#scope.isKnownPlain(name),
    );
    const braces = doubleBracesIn(source.value);
    for (const each of problems)
      if (!braces.some(({ start }) => start === each.start)) this.#report(source, each);
    // No shell knows them; in single quotes they may be meant for another program.
    for (const each of braces)
      this.#report(source, { ...each, severity: text === null ? "error" : "warning" });
    const references = text?.references ?? dottedReferences(source.value, problems);
    for (const reference of references) this.#reference(source, reference, "shell");
    // With a problem there is no plan; the empty text only lets the walk go on to find the others.
    return text ?? compileShellText("", () => false).text ?? raise();
  }

  /** Whether it can have a value. */
  #reference(source: SourceText, reference: Reference, place: TextPlace): boolean {
    const [head, field] = reference.path;
    if (typeof head === "string" && (field === "stdout" || field === "stderr"))
      this.#split.add(head);
    if (head === "project") this.#usesProject = true;
    const problem = this.#secrets.check(reference, place) ?? this.#scope.check(reference);
    if (problem === null) return true;
    const { start, end } = reference;
    if (problem.code === "needs-input") {
      const severity = this.#request.inputs === "unknown" ? "note" : "error";
      const range = rangeInText(source, start, end);
      this.#missing.push({ name: reference.name, problem: { ...problem, severity, range } });
    } else this.#report(source, { ...problem, severity: "error", start, end });
    return false;
  }

  #report(source: SourceText, problem: TextualProblem): void {
    const { start, end, code, severity, message, help } = problem;
    const range = rangeInText(source, start, end);
    this.#tell({ code, severity, message, range, ...(help === undefined ? {} : { help }) });
  }

  #tell(problem: Diagnostic): void {
    const key = `${problem.range.start} ${problem.range.end} ${problem.message}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.diagnostics.push(problem);
  }
}

/** All of a text. */
function whole({ value }: SourceText): { readonly start: number; readonly end: number } {
  return { start: 0, end: value.length };
}

function raise(): never {
  throw new Error("the empty shell text does not compile");
}
