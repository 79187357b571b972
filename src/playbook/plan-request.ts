/** What a playbook is planned for. */
import type { Value } from "../values/value.ts";
import type { PlanCondition } from "./conditions.ts";
import type { ClaudeOptions } from "./model.ts";
import type { CommandRules } from "./plan-model.ts";
import type { InputsKnown } from "./static-scope.ts";

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
