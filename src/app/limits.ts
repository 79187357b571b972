/** Which limits hold: each flag over the playbook's, that over the config's (spec 1, 6.5). */
import { NO_LIMITS, type SessionLimits } from "../engine/budget.ts";
import type { Limits } from "../playbook/model.ts";
import type { Prepared } from "./prepared.ts";

export function chooseLimits({
  request,
  plan,
  config,
}: Pick<Prepared, "request" | "plan" | "config">): SessionLimits {
  const asked = request.limits;
  return {
    ...firstSaid([asked, plan.playbook.limits, config.limits]),
    // A replay pays nothing, so what a recording does not say is no risk.
    allowUnknownCost: asked.allowUnknownCost || request.replay !== null,
    wait: asked.wait,
  };
}

/** What a resume is asked, over what the session was asked; a flag that was given stays. */
export function mergeLimits(now = NO_LIMITS, then = NO_LIMITS): SessionLimits {
  return {
    ...firstSaid([now, then]),
    allowUnknownCost: now.allowUnknownCost || then.allowUnknownCost,
    wait: now.wait || then.wait,
  };
}

function firstSaid(levels: readonly Limits[]): Limits {
  const first = (key: keyof Limits): number | null =>
    levels.map((level) => level[key]).find((value) => value !== null) ?? null;
  return { costUsd: first("costUsd"), tokens: first("tokens"), durationMs: first("durationMs") };
}
