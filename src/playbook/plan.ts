/** Playbook and request to plan, or problems with their places; nothing has run (spec 3.1, 11). */
import type { Condition } from "../values/condition/compile.ts";
import type { Reference } from "../values/reference.ts";
import { dottedReferences } from "../values/shell/dotted.ts";
import { compileShellText, emptyShellText, type ShellText } from "../values/shell/compile.ts";
import { compileText, type TextTemplate } from "../values/text.ts";
import type { Diagnostic, Range } from "./diagnostic.ts";
import type { Holes } from "./holes.ts";
import { ValueTypes } from "./value-types.ts";
import { asGate, GatePlanner } from "./plan-gates.ts";
import { boundOf } from "./plan-bound.ts";
import { notesOn } from "./plan-notes.ts";
import type { PlanRequest } from "./plan-request.ts";
import { planBody } from "../steps/plan-registry.ts";
import type { PlanCompiler, PlanPlace, TextualProblem } from "../steps/plan-kind.ts";
import { scopeOf } from "./plan-scope.ts";
import { filterProblems, inText, shellProblems, whole } from "./text-problems.ts";
import type { FailureHandler, ForeachStep, Playbook, SourceText, Step } from "./model.ts";
import type { Plan, PlannedHandler, PlannedStep } from "./plan-model.ts";
import { readsOneStream, withSplit } from "./plan-split.ts";
import { type MissingInput, needsInput } from "./needs-input.ts";
import { positionAt, rangeInText, type SourceFile, sourceFile } from "./source.ts";
import { SecretRules, type TextPlace } from "./secret-rules.ts";
import type { StaticScope } from "./static-scope.ts";

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
  readonly #newScope: (merging: boolean) => StaticScope;
  #scope: StaticScope;
  readonly #secrets: SecretRules;
  readonly #compiler: PlanCompiler;
  readonly #types = new ValueTypes();
  readonly #gates: GatePlanner;
  #usesProject = false;
  /** A gate is compiled at each step that lists it: what is wrong with it is told once. */
  readonly #reported = new Set<string>();
  /** `env` of the loops around the step at hand. */
  #loopEnv: PlannedStep["env"] = [];
  /** Ids whose stdout or stderr somebody wants alone. */
  readonly #split = new Set<string>();
  /** References to an input that is not there: one thing to mend, however many they are. */
  readonly #missing: MissingInput[] = [];

  constructor(playbook: Playbook, request: PlanRequest, holes: Holes | null) {
    this.#playbook = playbook;
    this.#request = request;
    this.#source = sourceFile(playbook.file, playbook.text);
    this.#secrets = new SecretRules(playbook);
    const params = new Map(playbook.params.map(({ name, type }) => [name, type]));
    this.#newScope = (merging) => scopeOf(playbook, request, { params, holes, merging });
    this.#scope = this.#newScope(false);
    const { above, below } = request.claude;
    this.#compiler = {
      text: (source) => this.#text(source),
      prompt: (source) => this.#text(source, "prompt"),
      shell: (source) => this.#shell(source),
      report: (source, problem) => this.#report(source, problem),
      conversation: (step) => this.#scope.conversation(step),
      claudeOptions: (own) => ({ ...below, ...playbook.claude, ...above, ...own }),
      rulesOf: (command) => request.commandRules.get(command) ?? null,
      reference: (source, reference) => this.#reference(source, reference, "plain"),
      typeOf: (reference) => this.#types.wordFor(reference, params),
      inside: (step, place) => this.#inside(step, place),
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
    this.diagnostics.push(...notesOn(this.#playbook, this.#request));
    return plan;
  }

  #walk(): Plan {
    const playbook = this.#playbook;
    const env = playbook.env.map(({ name, value }) => ({
      name,
      value: this.#text(value, "header-env"),
    }));
    const steps = playbook.steps.map((step, index) => this.#step(step, String(index + 1), false));
    this.#scope.stepEnv = new Set();
    this.#secrets.enter(null);
    const until = this.#gates.until(playbook.until);
    const merge = this.#merge();
    this.#gates.reportUnused();
    return {
      playbook,
      params: this.#request.params ?? new Map(),
      env,
      steps: withSplit(steps, this.#split),
      merge: merge && withSplit(merge, this.#split),
      until,
      usesProject: this.#usesProject,
      ...boundOf(playbook, this.#request),
    };
  }

  /** A run of its own: it sees nothing of the steps. */
  #merge(): Plan["merge"] {
    const { merge } = this.#playbook;
    if (merge === null) return null;
    this.#scope = this.#newScope(true);
    return merge.map((step, index) => this.#step(step, `merge.${index + 1}`, false));
  }

  #step(step: Step, path: string, inHandler: boolean): PlannedStep {
    this.#enter(step);
    for (const { source, ...problem } of this.#secrets.problemsOf(step)) {
      this.#report(source, { ...problem, severity: "error", ...whole(source) });
    }
    const condition = step.condition && this.#condition(step.condition);
    const own = step.env.map(({ name, value }) => {
      const text = this.#text(value, "env");
      this.#secrets.declare(name, text.references);
      return { name, value: text };
    });
    const env = this.#loopEnv.length === 0 ? own : [...this.#loopEnv, ...own];
    const workingDir = step.workingDir && this.#text(step.workingDir);
    const { body, needsCommit } = planBody(step, this.#compiler, { inHandler, path, env });
    this.#scope.started(step.id, step.kind, step.captureOutput);
    const handlers = this.#handlers(step, path);
    this.#enter(step, env);
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
    };
    return Object.assign(common, handlers, body);
  }

  #validation(step: Step): PlannedStep["validation"] {
    this.#secrets.enterGates();
    return this.#gates.validation(step.validation);
  }

  #placeOf({ start }: Range): string {
    return `${this.#playbook.file}:${positionAt(this.#source, start).line}`;
  }

  /** From now on texts are this step's. */
  #enter(step: Step, made = this.#loopEnv): void {
    this.#scope.stepEnv = new Set([...this.#loopEnv, ...step.env].map(({ name }) => name));
    this.#secrets.enter(step);
    for (const { name, value } of made) this.#secrets.declare(name, value.references);
  }

  /** The steps of a loop, with its `env`. */
  #inside(step: ForeachStep, { path, inHandler, env }: PlanPlace): readonly PlannedStep[] {
    const around = this.#loopEnv;
    this.#loopEnv = env;
    const steps = this.#types.inLoop(() =>
      this.#scope.inLoop(step, () =>
        step.steps.map((each, index) => this.#step(each, `${path}.do.${index + 1}`, inHandler)),
      ),
    );
    this.#loopEnv = around;
    return steps;
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
    for (const problem of problems) this.#report(source, { ...problem, severity: "error" });
    for (const reference of template.references) this.#reference(source, reference, place);
    for (const problem of filterProblems(template, forClaude)) this.#report(source, problem);
    return template;
  }

  #shell(source: SourceText): ShellText {
    const { text, problems } = compileShellText(source.value, (name) =>
      this.#scope.isKnownPlain(name),
    );
    for (const each of shellProblems(source, text, problems)) this.#report(source, each);
    const references = text?.references ?? dottedReferences(source.value, problems);
    for (const reference of references) this.#reference(source, reference, "shell");
    // With a problem there is no plan; the empty text only lets the walk go on to find the others.
    return text ?? emptyShellText();
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
    this.#tell(inText(source, problem));
  }

  #tell(problem: Diagnostic): void {
    const key = `${problem.range.start} ${problem.range.end} ${problem.message}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.diagnostics.push(problem);
  }
}
