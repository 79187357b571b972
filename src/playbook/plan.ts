/** Playbook and request to plan, or problems with their places; nothing has run (spec 3.1, 11). */
import type { Reference } from "../values/reference.ts";
import { dottedReferences } from "../values/shell/dotted.ts";
import { compileShellText, type ShellText } from "../values/shell/compile.ts";
import { compileText, doubleBracesIn, type TextTemplate } from "../values/text.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Holes } from "./holes.ts";
import type {
  ClaudeOptions,
  FailureHandler,
  Playbook,
  ShellStep,
  SourceText,
  Step,
} from "./model.ts";
import type {
  CommandRules,
  Plan,
  PlannedClaude,
  PlannedHandler,
  PlannedShell,
  PlannedStep,
} from "./plan-model.ts";
import { commandName, everyStep } from "./plan-steps.ts";
import { readsOneStream, withSplit } from "./plan-split.ts";
import { type MissingInput, needsInput } from "./needs-input.ts";
import { leadingValue } from "./prompt-start.ts";
import { positionAt, rangeInText, type SourceFile, sourceFile } from "./source.ts";
import { type InputsKnown, StaticScope } from "./static-scope.ts";

export interface PlanRequest {
  readonly inputs: InputsKnown;
  /** `--max-iterations`. */
  readonly maxIterations: number | null;
  /** The environment mmm was started in; `null`: not known, `env.X` is not checked. */
  readonly environment: Readonly<Record<string, string | undefined>> | null;
  /** `above` beats the playbook's `claude:` (`--model`), `below` is beaten by it (environment, config). */
  readonly claude: { readonly above: ClaudeOptions; readonly below: ClaudeOptions };
  /** By command name, without the slash. */
  readonly commandRules: ReadonlyMap<string, CommandRules>;
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
  /** Ids whose stdout or stderr somebody wants alone. */
  readonly #split = new Set<string>();
  /** References to an input that is not there: one thing to mend, however many they are. */
  readonly #missing: MissingInput[] = [];

  constructor(playbook: Playbook, request: PlanRequest, holes: Holes | null) {
    this.#playbook = playbook;
    this.#request = request;
    this.#source = sourceFile(playbook.file, playbook.text);
    const environment = request.environment && new Set(Object.keys(request.environment));
    for (const { name } of playbook.env) environment?.add(name);
    const ids = new Set([...everyStep(playbook.steps)].flatMap(({ id }) => id ?? []));
    this.#scope = new StaticScope({ inputs: request.inputs, environment, ids, holes });
  }

  plan(): Plan {
    const plan = this.#walk();
    const missing = needsInput(this.#missing, this.#playbook.file);
    if (missing !== null) this.diagnostics.push(missing);
    return plan;
  }

  #walk(): Plan {
    const { playbook } = this;
    const env = playbook.env.map(({ name, value }) => ({ name, value: this.#text(value) }));
    const steps = playbook.steps.map((step, index) => this.#step(step, String(index + 1), false));
    return { playbook, env, steps: withSplit(steps, this.#split), ...this.#bound() };
  }

  private get playbook(): Playbook {
    return this.#playbook;
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
    const env = step.env.map(({ name, value }) => ({ name, value: this.#text(value) }));
    const workingDir = step.workingDir && this.#text(step.workingDir);
    const kind = this.#kind(step);
    const requirement = this.#commitRequirement(step, inHandler);
    this.#scope.started(step.id, step.kind, step.captureOutput);
    const handlers = this.#handlers(step, path);
    this.#scope.stepEnv = new Set(step.env.map(({ name }) => name));
    this.#scope.finished(
      step.id,
      step.kind,
      step.outputs.map(({ name }) => name),
    );
    const common = {
      path,
      place: `${this.#playbook.file}:${line}`,
      env,
      workingDir,
      commitMessage: step.commitMessage && this.#text(step.commitMessage),
      ...requirement,
      split: step.captureOutput || readsOneStream(step),
      ...handlers,
    };
    return { ...common, ...kind };
  }

  #kind(
    step: Step,
  ):
    | Pick<
        PlannedClaude,
        "kind" | "step" | "prompt" | "args" | "options" | "command" | "consumesSpec"
      >
    | Pick<PlannedShell, "kind" | "step" | "run" | "stdin">
    | { readonly kind: "analyze"; readonly step: Extract<Step, { kind: "analyze" }> } {
    if (step.kind === "analyze") return { kind: "analyze", step };
    if (step.kind === "shell") {
      return {
        kind: "shell",
        step,
        run: this.#shell(step),
        stdin: step.stdin && this.#text(step.stdin),
      };
    }
    const lead = leadingValue(step.prompt.value);
    if (lead !== null) this.#report(step.prompt, lead);
    const command = commandName(step);
    const rules = command === null ? undefined : this.#request.commandRules.get(command);
    return {
      kind: "claude",
      step,
      prompt: this.#text(step.prompt, true),
      args: step.args.map((arg) => this.#text(arg, true)),
      options: {
        ...this.#request.claude.below,
        ...this.#playbook.claude,
        ...this.#request.claude.above,
        ...step.options,
      },
      command,
      // An argument that renders to nothing is no argument; that is seen when it runs.
      consumesSpec: rules?.consumes === "spec",
    };
  }

  #commitRequirement(
    step: Step,
    inHandler: boolean,
  ): { readonly commitRequired: boolean; readonly commitDefaulted: boolean } {
    if (step.commitRequired !== null) {
      return { commitRequired: step.commitRequired, commitDefaulted: false };
    }
    const command = step.kind === "claude" ? commandName(step) : null;
    const rules = command === null ? undefined : this.#request.commandRules.get(command);
    const ruled = rules?.commit ?? null;
    const byForm = !inHandler && step.kind === "claude" && step.form !== "claude";
    const required = ruled === null ? byForm : ruled === "required";
    return { commitRequired: required, commitDefaulted: true };
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

  #text(source: SourceText, forClaude = false): TextTemplate {
    const { template, problems } = compileText(source.value);
    for (const { code, message, help, start, end } of problems) {
      this.#report(source, { code, severity: "error", message, help, start, end });
    }
    for (const reference of template.references) {
      this.#reference(source, reference);
      if (reference.filter === null || (forClaude && reference.filter === "file")) continue;
      this.#report(source, {
        code: "filter-in-text",
        severity: "error",
        message: `${reference.text}: the filter ${reference.filter} belongs to shell text`,
        help: forClaude ? "here only `|file` works" : "leave it out",
        start: reference.start,
        end: reference.end,
      });
    }
    return template;
  }

  #shell(step: ShellStep): ShellText {
    const { text, problems } = compileShellText(step.run.value, (name) =>
      this.#scope.isKnownPlain(name),
    );
    const braces = doubleBracesIn(step.run.value);
    for (const each of problems)
      if (!braces.some(({ start }) => start === each.start)) this.#report(step.run, each);
    // No shell knows them; in single quotes they may be meant for another program.
    for (const each of braces)
      this.#report(step.run, { ...each, severity: text === null ? "error" : "warning" });
    const references = text?.references ?? dottedReferences(step.run.value, problems);
    for (const reference of references) this.#reference(step.run, reference);
    // With a problem there is no plan; the empty text only lets the walk go on to find the others.
    return text ?? compileShellText("", () => false).text ?? raise();
  }

  #reference(source: SourceText, reference: Reference): void {
    const [head, field] = reference.path;
    if (typeof head === "string" && (field === "stdout" || field === "stderr"))
      this.#split.add(head);
    const problem = this.#scope.check(reference);
    if (problem === null) return;
    const { start, end } = reference;
    if (problem.code === "needs-input") {
      const severity = this.#request.inputs === "unknown" ? "note" : "error";
      const range = rangeInText(source, start, end);
      this.#missing.push({ name: reference.name, problem: { ...problem, severity, range } });
    } else this.#report(source, { ...problem, severity: "error", start, end });
  }

  #report(
    source: SourceText,
    problem: Omit<Diagnostic, "range"> & { readonly start: number; readonly end: number },
  ): void {
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

function raise(): never {
  throw new Error("the empty shell text does not compile");
}
