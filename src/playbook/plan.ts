/** Playbook and request to plan, or problems with their places; nothing has run (spec 3.1, 11). */
import { shellWord } from "../lib/shell-word.ts";
import type { Condition } from "../values/condition/compile.ts";
import type { Reference } from "../values/reference.ts";
import { dottedReferences } from "../values/shell/dotted.ts";
import { compileShellText, type ShellText } from "../values/shell/compile.ts";
import type { Value } from "../values/value.ts";
import { compileText, doubleBracesIn, type TextTemplate } from "../values/text.ts";
import { type Diagnostic, PLAIN_SECRET } from "./diagnostic.ts";
import type { Holes } from "./holes.ts";
import type { PlanCondition } from "./conditions.ts";
import { ValueTypes } from "./value-types.ts";
import { planBody } from "../steps/plan-registry.ts";
import type { PlanCompiler, TextualProblem } from "../steps/plan-kind.ts";
import { filterProblems } from "./text-problems.ts";
import type { ClaudeOptions, FailureHandler, Playbook, SourceText, Step } from "./model.ts";
import type { CommandRules, Plan, PlannedHandler, PlannedStep } from "./plan-model.ts";
import { everyStep } from "./plan-steps.ts";
import { readsOneStream, withSplit } from "./plan-split.ts";
import { type MissingInput, needsInput } from "./needs-input.ts";
import { positionAt, rangeInText, type SourceFile, sourceFile } from "./source.ts";
import { plainSecrets, SecretRules, type TextPlace } from "./secret-rules.ts";
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

/** Iterations of a playbook with Claude steps and without inputs (spec 1, `--max-iterations`). */
const DEFAULT_ITERATIONS = 10;

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
  }

  plan(): Plan {
    const plan = this.#walk();
    const missing = needsInput(this.#missing, this.#playbook.file);
    if (missing !== null) this.diagnostics.push(missing);
    if (this.#request.params === undefined) this.#noteRequired();
    this.#warnOfKeys();
    return plan;
  }

  /** Nobody has been asked yet. */
  #noteRequired(): void {
    for (const { name, type, required, range } of this.#playbook.params) {
      if (!required) continue;
      const message = `the parameter ${name} is required`;
      const help = `mmm cook ${shellWord(this.#playbook.file)} --param ${name}=${type.toUpperCase()}`;
      this.diagnostics.push({ code: "needs-param", severity: "note", message, range, help });
    }
  }

  #warnOfKeys(): void {
    const playbook = this.#playbook;
    for (const { range, name } of plainSecrets(playbook, everyStep(playbook.steps))) {
      const what = name === null ? "this looks like a secret" : `${name} looks like a secret`;
      const declared = name ?? "API_TOKEN";
      const help = `give it by the environment: \`secrets: {${declared}: {env: ${declared}}}\` in the header`;
      const message = `${what}, in plain text`;
      this.diagnostics.push({ code: PLAIN_SECRET, severity: "warning", message, range, help });
    }
  }

  #walk(): Plan {
    const playbook = this.#playbook;
    const env = playbook.env.map(({ name, value }) => ({
      name,
      value: this.#text(value, "header-env"),
    }));
    const steps = playbook.steps.map((step, index) => this.#step(step, String(index + 1), false));
    const params = this.#request.params ?? new Map();
    return { playbook, params, env, steps: withSplit(steps, this.#split), ...this.#bound() };
  }

  #bound(): Pick<Plan, "maxIterations" | "boundFrom"> {
    if (this.#request.maxIterations !== null) {
      return { maxIterations: this.#request.maxIterations, boundFrom: "option" };
    }
    if (this.#playbook.maxIterations !== null) {
      return { maxIterations: this.#playbook.maxIterations, boundFrom: "playbook" };
    }
    const { inputs } = this.#request;
    const oneShot =
      (inputs !== "unknown" && inputs.count > 0) ||
      ![...everyStep(this.#playbook.steps)].some((step) => step.kind === "claude");
    return { maxIterations: oneShot ? 1 : DEFAULT_ITERATIONS, boundFrom: "default" };
  }

  #step(step: Step, path: string, inHandler: boolean): PlannedStep {
    const { line } = positionAt(this.#source, step.range.start);
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
    this.#scope.finished(
      step.id,
      step.kind,
      step.outputs.map(({ name }) => name),
    );
    this.#types.declare(step);
    const common = {
      path,
      place: `${this.#playbook.file}:${line}`,
      condition,
      env,
      workingDir,
      commitMessage: step.commitMessage && this.#text(step.commitMessage),
      commitRequired: step.commitRequired ?? needsCommit,
      commitDefaulted: step.commitRequired === null,
      split: step.captureOutput || readsOneStream(step),
      ...handlers,
    };
    return { ...common, ...body };
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

  #condition(source: SourceText): Condition | null {
    const { conditions } = this.#request;
    if (conditions === null) throw new Error("a playbook with conditions was planned without them");
    return conditions(source.value, {
      reference: (reference) => this.#reference(source, reference, "plain"),
      report: (problem) => this.#report(source, problem),
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
    this.diagnostics.push({
      code,
      severity,
      message,
      range: rangeInText(source, start, end),
      ...(help === undefined ? {} : { help }),
    });
  }
}

/** All of a text. */
function whole({ value }: SourceText): { readonly start: number; readonly end: number } {
  return { start: 0, end: value.length };
}

function raise(): never {
  throw new Error("the empty shell text does not compile");
}
