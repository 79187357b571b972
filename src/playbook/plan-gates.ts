/** `validation` and `until` made ready to run (spec 2.6). */
import { nearest } from "../lib/nearest.ts";
import { unreachable } from "../lib/unreachable.ts";
import { gateWords, type GateWord } from "../values/gate-words.ts";
import type { Condition } from "../values/condition/compile.ts";
import type { TextualProblem } from "../steps/plan-kind.ts";
import type { ShellText } from "../values/shell/compile.ts";
import type { TextTemplate } from "../values/text.ts";
import type { Diagnostic, Range } from "./diagnostic.ts";
import type { Gate, GateCheck, ListedGate, Playbook, SourceText } from "./model.ts";
import type { PlannedCheck, PlannedGate, PlannedUntil } from "./plan-model.ts";

/** What the plan compiles, at the step at hand: a gate knows what has run before it. */
export interface GateCompiler {
  readonly shell: (source: SourceText) => ShellText;
  readonly text: (source: SourceText) => TextTemplate;
  /** `null`: it cannot be evaluated, which is reported. */
  readonly expression: (source: SourceText) => Condition | null;
  readonly report: (problem: Diagnostic) => void;
  /** `file:line`. */
  readonly placeOf: (range: Range) => string;
}

/** Percent that the project's benchmark may be worse, as `performance_regression: false` means it. */
const WORD_TOLERANCE = 5;

/** What is said of a condition, said of a gate. */
export function asGate(problem: TextualProblem): TextualProblem {
  if (problem.code !== "constant-condition") return problem;
  const message = "this is always false: it can never be met";
  return { ...problem, message, help: "name a value in it, as in ${build.exit_code} == 0" };
}

export class GatePlanner {
  readonly #gates: ReadonlyMap<string, Gate>;
  readonly #compiler: GateCompiler;
  /** Gates may be missing: the playbook was read in part. */
  readonly #partial: boolean;
  readonly #used = new Set<string>();

  constructor(playbook: Playbook, compiler: GateCompiler, partial: boolean) {
    this.#gates = new Map(playbook.gates.map((gate) => [gate.name, gate]));
    this.#compiler = compiler;
    this.#partial = partial;
  }

  validation(listed: readonly ListedGate[]): readonly PlannedGate[] {
    return listed.flatMap((each) => this.#named(each) ?? []);
  }

  /** After all steps: it sees what they leave. */
  until(source: SourceText | null): PlannedUntil | null {
    if (source === null) return null;
    const name = source.value.trim();
    if (!this.#gates.has(name) && !gateWords.has(name)) return this.#untilExpression(source);
    const gate = this.#named({ name, range: source.range });
    if (gate?.check.kind !== "metric") return gate === null ? null : { gate, source: name };
    this.#compiler.report({
      code: "until-metric",
      severity: "error",
      message: `\`until: ${name}\`: a metric compares before and after a step, an iteration has no such figures`,
      range: source.range,
      help: "list the gate in the `validation` of a step, and let `until` ask for something else",
    });
    return null;
  }

  /** A gate that nobody asks for would be accepted and ignored. */
  reportUnused(): void {
    if (this.#partial) return;
    for (const { name, range } of this.#gates.values()) {
      if (this.#used.has(name)) continue;
      const message = `the gate \`${name}\` is never run`;
      const help = `list it in the \`validation\` of a step, or write \`until: ${name}\``;
      this.#compiler.report({ code: "unused-gate", severity: "warning", message, range, help });
    }
  }

  #untilExpression(source: SourceText): PlannedUntil | null {
    const check = this.#expression(source);
    if (check === null) return null;
    const place = this.#compiler.placeOf(source.range);
    const words = source.value.trim().replace(/\s+/g, " ");
    return { gate: { name: "until", place, timeoutMs: null, check }, source: words };
  }

  #expression(source: SourceText): PlannedCheck | null {
    const condition = this.#compiler.expression(source);
    return condition === null ? null : { kind: "expression", condition };
  }

  #named({ name, range }: ListedGate): PlannedGate | null {
    const gate = this.#gates.get(name);
    this.#used.add(name);
    if (gate !== undefined) return this.#planned(gate);
    const word = gateWords.get(name);
    if (word === undefined) {
      this.#unknown({ name, range }, `there is no gate \`${name}\``);
      return null;
    }
    const place = this.#compiler.placeOf(range);
    return { name, place, timeoutMs: null, check: checkOf(word) };
  }

  #unknown({ name, range }: ListedGate, message: string): void {
    if (this.#partial) return;
    const known = [...this.#gates.keys(), ...gateWords.keys()];
    const near = nearest(name, known);
    const help =
      near === null
        ? `declare it under \`gates\`, or write one of ${[...gateWords.keys()].join(", ")}`
        : `did you mean \`${near}\`?`;
    this.#compiler.report({ code: "unknown-gate", severity: "error", message, range, help });
  }

  #planned(gate: Gate): PlannedGate | null {
    if (gate.check === null) return null;
    const { name, timeoutMs } = gate;
    const check = this.#check(gate.check);
    if (check === null) return null;
    return { name, place: this.#compiler.placeOf(gate.range), timeoutMs, check };
  }

  #check(check: GateCheck): PlannedCheck | null {
    const { shell, text } = this.#compiler;
    switch (check.kind) {
      case "shell":
        return { kind: "shell", run: shell(check.run) };
      case "expression":
        return this.#expression(check.text);
      case "metric": {
        const { metric, must, better, tolerance } = check;
        const compared = { must, better, tolerance };
        if (metric.kind === "shell")
          return { kind: "metric", metric: { kind: "shell", run: shell(metric.run) }, ...compared };
        const run = metric.run && shell(metric.run);
        return {
          kind: "metric",
          metric: { kind: "coverage", file: text(metric.file), run },
          ...compared,
        };
      }
      default:
        return unreachable(check);
    }
  }
}

function checkOf({ command, judges }: GateWord): PlannedCheck {
  switch (judges) {
    case "exit-code":
      return { kind: "project", command };
    case "figure":
      return {
        kind: "metric",
        metric: { kind: "project", command },
        must: "not_regress",
        better: "lower",
        tolerance: { amount: WORD_TOLERANCE, of: "percent" },
      };
    case "coverage":
      return {
        kind: "metric",
        metric: { kind: "project-coverage", command },
        must: "increase",
        better: "higher",
        tolerance: { amount: 0, of: "figure" },
      };
    default:
      return unreachable(judges);
  }
}
