/** What kind of value a reference has, as far as the playbook tells (spec 3.1, 3.3). */
import type { ConditionReference } from "../values/condition/compile.ts";
import type { PlainType } from "../values/condition/static-type.ts";
import type { Reference } from "../values/reference.ts";
import { CAPTURED } from "../values/names.ts";
import type { OutputRule, ParamType, Step } from "./model.ts";
import { UndoMap } from "./undo-map.ts";

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
  ...["INDEX", "TOTAL", "ITERATION", "MAX_ITERATIONS", "index", "total"].map(
    (name) => [name, "number"] as const,
  ),
  ...["ARG", "FILE", "PROJECT_ROOT", "WORKTREE", "SESSION_ID", "PLAYBOOK", CAPTURED].map(
    (name) => [name, "text"] as const,
  ),
]);

const UNKNOWN: PlainType = { kind: "unknown" };

/** Walks along with the plan. */
export class ValueTypes {
  /** By `name`, and by `id.name`. */
  readonly #outputs = new UndoMap<string, PlainType>();

  /** See `StaticScope.inLoop`. */
  inLoop<T>(walk: () => T): T {
    this.#outputs.enter();
    const result = walk();
    this.#outputs.leave();
    return result;
  }

  declare({ id, outputs }: Step): void {
    for (const { name, rule } of outputs) {
      const type = rule === null ? UNKNOWN : typeOfRule(rule);
      this.#outputs.set(name, type);
      if (id !== null) this.#outputs.set(`${id}.${name}`, type);
    }
  }

  /** `list`, `text`, ...; of a parameter the word of its declaration; `null`: not known before it runs. */
  wordFor(reference: Reference, params: ReadonlyMap<string, ParamType>): string | null {
    const { path } = reference;
    if (path[0] === "params" && path.length === 2) return params.get(String(path[1])) ?? null;
    const { kind } = this.of({
      reference: { ...reference, path: path.slice(0, 2) },
      rest: path.slice(2),
    });
    return kind === "unknown" ? null : kind;
  }

  /** Of a reference that can have a value; whatever has a fallback may also be that text. */
  of({ reference, rest }: ConditionReference): PlainType {
    const [head = "", field] = reference.path;
    if (reference.fallback !== null || rest.length > 0) return UNKNOWN;
    if (head === "env") return { kind: "text" };
    if (head === "item" || head === "params") return UNKNOWN;
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
