/** Gates: checks that mmm runs itself; the verdict is what it saw (spec 2.6). */
import { toleranceOf } from "../lib/tolerance.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { PlannedCheck, PlannedGate } from "../playbook/plan-model.ts";
import { holds, shownCondition } from "./condition.ts";
import { failure } from "./failure.ts";
import { type GateRun, runGateCommand } from "./gate-command.ts";
import { measure, type Measured } from "./gate-measure.ts";
import type { Before, GateSite, GateTrouble, Skipped } from "./gate-model.ts";
import { exitCodeOf } from "./kind.ts";
import type { TreePoint } from "./ports.ts";
import { putBack } from "./put-back.ts";

type StepSite = Omit<GateSite, "gate" | "when"> & { readonly gates: readonly PlannedGate[] };

/**
 * Takes the figures that metrics are compared with, those that are not there yet. One that cannot be taken
 * fails the attempt before anything is paid for.
 */
export async function measureBefore(
  { gates, ...site }: StepSite,
  known: Map<string, Before>,
  start: TreePoint,
): Promise<GateTrouble | null> {
  const missing = gates.filter(({ name, check }) => check.kind === "metric" && !known.has(name));
  if (missing.length === 0) return null;
  const { tree } = site.frame.run.ports;
  // A later attempt begins with what the earlier ones left.
  const point = site.attempt === 1 ? start : await tree.mark(await tree.look());
  for (const gate of missing) {
    const { check } = gate;
    if (check.kind !== "metric") continue;
    const here: GateSite = { ...site, gate, when: "before" };
    const found = await measure(here, check.metric, null);
    if (!found.ok) {
      tell(here, { verdict: "failed", why: found.error.message, ran: found.error.ran });
      await putBack(site.frame, point, "measuring");
      return named(found.error, `\`${gate.name}\` cannot be measured before the step`);
    }
    known.set(gate.name, found.value);
    // A skipped one is told when its verdict is due.
    if (found.value.kind === "figure")
      tell(here, {
        verdict: "measured",
        ran: found.value.ran,
        figures: { before: found.value.figure, after: null },
      });
  }
  await putBack(site.frame, point, "measuring");
  return null;
}

/** The first gate that fails is the attempt's failure; the others are not run. */
export async function validate(
  { gates, ...site }: StepSite,
  before: ReadonlyMap<string, Before>,
): Promise<GateTrouble | null> {
  if (gates.length === 0) return null;
  const { frame } = site;
  const point = await frame.run.ports.tree.mark(frame.look);
  let trouble: GateTrouble | null = null;
  for (const gate of gates) {
    const here: GateSite = { ...site, gate, when: "after" };
    const verdict = await judge(here, gate.check, before.get(gate.name) ?? null);
    if (verdict.kind !== "failed") continue;
    trouble = named(verdict.trouble, `validation \`${gate.name}\` failed`);
    break;
  }
  await putBack(frame, point, "validation");
  return trouble;
}

type Verdict =
  | { readonly kind: "ok" }
  | Skipped
  | { readonly kind: "failed"; readonly trouble: GateTrouble };

/** Runs one gate and tells its verdict. */
export async function judge(
  site: GateSite,
  check: PlannedCheck,
  before: Before | null,
): Promise<Verdict> {
  switch (check.kind) {
    case "shell":
    case "project": {
      const ran = await runGateCommand(site, check, { split: false });
      if (!ran.ok) return failed(site, ran.error, null);
      if (ran.value.kind === "skipped") return skipped(site, ran.value);
      tell(site, { verdict: "ok", ran: ran.value });
      return { kind: "ok" };
    }
    case "expression": {
      const answer = await holds(site.frame, site.planned, check.condition);
      if (!answer.ok) return failed(site, { ...answer.error, ran: null }, null);
      if (answer.value) {
        tell(site, { verdict: "ok", ran: null });
        return { kind: "ok" };
      }
      const wrong = `${shownCondition(check.condition)} is false`;
      return failed(site, { ...failure("validation", wrong), ran: null }, null);
    }
    case "metric":
      return judgeMetric(site, check, before);
    default:
      return unreachable(check);
  }
}

async function judgeMetric(
  site: GateSite,
  check: Extract<PlannedCheck, { kind: "metric" }>,
  before: Before | null,
): Promise<Verdict> {
  if (before === null) {
    const unknown = failure("validation", "there is no figure from before the step");
    return failed(site, { ...unknown, ran: null }, null);
  }
  if (before.kind === "skipped") return skipped(site, before);
  const after = await measure(site, check.metric, before.stamp === "" ? null : before.stamp);
  if (!after.ok) return failed(site, after.error, { before: before.figure, after: null });
  if (after.value.kind === "skipped") {
    // It could be measured before: what is not there any more has not held.
    const lost = failure("validation", after.value.why);
    return failed(site, { ...lost, ran: after.value.ran }, { before: before.figure, after: null });
  }
  const figures = { before: before.figure, after: after.value.figure };
  const wrong = compare(check, figures);
  if (wrong !== null) {
    const trouble = { ...failure("validation", wrong), ran: after.value.ran };
    return failed(site, trouble, figures);
  }
  tell(site, { verdict: "ok", ran: after.value.ran, figures });
  return { kind: "ok" };
}

/** What is wrong with them; `null`: nothing. */
function compare(
  { must, better, tolerance, metric }: Extract<PlannedCheck, { kind: "metric" }>,
  { before, after }: { readonly before: number; readonly after: number },
): string | null {
  const figures = `${shownFigure(before)} before, ${shownFigure(after)} after`;
  switch (must) {
    case "increase": {
      // More than all cannot be covered.
      const isFull = metric.kind.endsWith("coverage") && before >= 100 && after >= 100;
      return after > before || isFull ? null : `it did not increase: ${figures}`;
    }
    case "decrease":
      return after < before ? null : `it did not decrease: ${figures}`;
    case "not_regress": {
      const worse = better === "higher" ? before - after : after - before;
      if (worse <= toleranceOf(tolerance, before)) return null;
      const unit = tolerance.of === "percent" ? "%" : "";
      const allowed = tolerance.amount === 0 ? "" : ` (tolerance ${tolerance.amount}${unit})`;
      return `it regressed: ${figures}, ${better} is better${allowed}`;
    }
    default:
      return unreachable(must);
  }
}

function failed(site: GateSite, trouble: GateTrouble, figures: Told["figures"] | null): Verdict {
  tell(site, {
    verdict: "failed",
    why: trouble.message,
    ran: trouble.ran,
    ...(figures && { figures }),
  });
  return { kind: "failed", trouble };
}

function skipped(site: GateSite, { why, ran }: Skipped): Verdict {
  tell(site, { verdict: "skipped", why, ran });
  return { kind: "skipped", why, ran };
}

function named(trouble: GateTrouble, what: string): GateTrouble {
  if (trouble.reason === "cancelled") return trouble;
  return { ...trouble, reason: "validation", message: `${what}: ${trouble.message}` };
}

interface Told {
  readonly verdict: "ok" | "failed" | "skipped" | "measured";
  readonly why?: string;
  readonly ran: GateRun | Measured["ran"];
  readonly figures?: { readonly before: number | null; readonly after: number | null };
}

/** The evidence: what was run, how it ended, and where it stood. */
function tell(site: GateSite, { verdict, why, ran, figures }: Told): void {
  const { frame, at, attempt, gate, when } = site;
  frame.run.sink.event({
    type: "gate-finished",
    at,
    attempt,
    gate: gate.name,
    when,
    verdict,
    why: why ?? null,
    command: ran?.rendered ?? null,
    end: ran?.end ?? null,
    exitCode: exitCodeOf(ran?.end ?? null),
    figures: figures ?? null,
    tail: ran?.tail ?? "",
    commit: frame.look.head,
    uncommitted: frame.look.changes.length,
    log: ran?.log ?? null,
    durationMs: ran?.durationMs ?? 0,
  });
}

/** At most four decimals: nobody reads more. */
function shownFigure(figure: number): string {
  return String(Math.round(figure * 10_000) / 10_000);
}
