import type { Holes } from "./holes.ts";
import type { ParamType, Playbook } from "./model.ts";
import type { PlanRequest } from "./plan-request.ts";
import { everyStepOf } from "./plan-steps.ts";
import { StaticScope } from "./static-scope.ts";

/** What references can have before the first step; `merging`: of those of `merge`. */
export function scopeOf(
  playbook: Playbook,
  { inputs, environment: given }: PlanRequest,
  of: {
    readonly params: ReadonlyMap<string, ParamType>;
    readonly holes: Holes | null;
    readonly merging: boolean;
  },
): StaticScope {
  const environment = given && new Set(Object.keys(given));
  for (const { name } of [...playbook.env, ...playbook.secrets]) environment?.add(name);
  const ids = new Set([...everyStepOf(playbook)].flatMap(({ id }) => id ?? []));
  return new StaticScope({ inputs, environment, ids, ...of });
}
