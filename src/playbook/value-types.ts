/** What kind of value a reference has, as far as the playbook tells (spec 3.1, 3.3). */
import type { ConditionReference } from "../values/condition/compile.ts";
import type { PlainType } from "../values/condition/static-type.ts";
import { CAPTURED } from "../values/names.ts";
import type { OutputRule, Step } from "./model.ts";

const FIELDS: ReadonlyMap<string, PlainType["kind"]> = new Map([
  ...["output", "stdout", "stderr", "commit", "message", "step", "spec"].map(
    (name) => [name, "text"] as const,
  ),
  ...["exit_code", "duration_ms", "cost_usd", "attempts", "attempt", "commits"].map(
    (name) => [name, "number"] as const,
  ),
  ["success", "boolean"],
  ["files_changed", "list"],
  ["files_added", "list"],
]);

const VARIABLES: ReadonlyMap<string, PlainType["kind"]> = new Map([
  ...["INDEX", "TOTAL", "ITERATION", "MAX_ITERATIONS"].map((name) => [name, "number"] as const),
  ...["ARG", "FILE", "PROJECT_ROOT", "WORKTREE", "SESSION_ID", "PLAYBOOK", CAPTURED].map(
    (name) => [name, "text"] as const,
  ),
]);

const UNKNOWN: PlainType = { kind: "unknown" };

/** Walks along with the plan. */
export class ValueTypes {
  /** By `name`, and by `id.name`. */
  readonly #outputs = new Map<string, PlainType>();

  declare({ id, outputs }: Step): void {
    for (const { name, rule } of outputs) {
      const type = typeOfRule(rule);
      this.#outputs.set(name, type);
      if (id !== null) this.#outputs.set(`${id}.${name}`, type);
    }
  }

  /** Of a reference that can have a value; whatever has a fallback may also be that text. */
  of({ reference, rest }: ConditionReference): PlainType {
    const [head = "", field] = reference.path;
    if (reference.fallback !== null || rest.length > 0) return UNKNOWN;
    if (head === "env") return { kind: "text" };
    const declared = this.#outputs.get(reference.path.join("."));
    if (declared !== undefined) return declared;
    const kind = field === undefined ? VARIABLES.get(String(head)) : FIELDS.get(String(field));
    return kind === undefined ? UNKNOWN : { kind };
  }
}

function typeOfRule(rule: OutputRule): PlainType {
  if (rule.default !== undefined) return UNKNOWN;
  if (rule.kind === "file") return { kind: rule.all ? "list" : "text" };
  switch (rule.capture) {
    case "text":
      return { kind: "text" };
    case "lines":
      return { kind: "list" };
    case "number":
    case "count":
      return { kind: "number" };
    case "boolean":
      return { kind: "boolean" };
    default:
      return UNKNOWN;
  }
}
