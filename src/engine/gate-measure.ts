/** The figure of a metric, taken now (spec 2.6). */
import { lastNumber } from "../metrics/last-number.ts";
import { MASK } from "../lib/redact.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { PlannedMetric } from "../playbook/plan-model.ts";
import { type GateRun, runGateCommand, textFor } from "./gate-command.ts";
import { failure } from "./failure.ts";
import type { CoverageReading } from "./ports.ts";
import { CAPTURE_BYTES } from "./render.ts";
import type { GateSite, GateTrouble, Skipped } from "./gate-model.ts";

/** `stamp` tells whether a report was written anew; `""` for what a command printed. */
export interface Measured {
  readonly kind: "figure";
  readonly figure: number;
  readonly stamp: string;
  readonly ran: GateRun | null;
}

/** @param earlier stamp of the report as it was measured before; `null`: this is the first time */
export async function measure(
  site: GateSite,
  metric: PlannedMetric,
  earlier: string | null,
): Promise<Result<Measured | Skipped, GateTrouble>> {
  switch (metric.kind) {
    case "shell":
    case "project":
      return measureCommand(site, metric);
    case "coverage":
      return measureCoverage(site, metric, earlier);
    case "project-coverage":
      return measureProjectCoverage(site, metric);
    default:
      return unreachable(metric);
  }
}

async function measureCommand(
  site: GateSite,
  metric: Extract<PlannedMetric, { kind: "shell" | "project" }>,
): Promise<Result<Measured | Skipped, GateTrouble>> {
  const ran = await runGateCommand(site, metric, { split: true });
  if (!ran.ok) return ran;
  if (ran.value.kind === "skipped") return ok(ran.value);
  const { store } = site.frame.run.ports;
  const file = ran.value.stdoutFile ?? "";
  const bytes = await store.size(file);
  const unreadable = (what: string): Result<never, GateTrouble> =>
    err({
      ...failure("validation", what, null, [
        "let the command print its figure last, on standard output",
      ]),
      ran: ran.value.kind === "ran" ? ran.value : null,
    });
  if (bytes > CAPTURE_BYTES) return unreadable("the command printed more than 10 MiB");
  const { text } = await store.read(file);
  const figure = lastNumber(ran.value.masked ? behindMask(text) : text);
  if (figure === null) return unreadable("the command printed no number on standard output");
  return ok({ kind: "figure", figure, stamp: "", ran: ran.value });
}

/** The lines after the last one with a secret: what stood in that line is not known any more. */
function behindMask(text: string): string {
  const mask = text.lastIndexOf(MASK);
  if (mask === -1) return text;
  const end = text.indexOf("\n", mask);
  return end === -1 ? "" : text.slice(end);
}

async function measureCoverage(
  site: GateSite,
  metric: Extract<PlannedMetric, { kind: "coverage" }>,
  earlier: string | null,
): Promise<Result<Measured | Skipped, GateTrouble>> {
  const file = await textFor(site, metric.file);
  if (!file.ok) return err({ ...file.error, ran: null });
  const { project } = site.frame.run.ports;
  if (metric.run === null) {
    return figureOf(await project.coverage(file.value), { not: earlier, ran: null });
  }
  const before = stampOf(await project.coverage(file.value));
  const ran = await runGateCommand(site, { kind: "shell", run: metric.run }, { split: false });
  if (!ran.ok) return ran;
  if (ran.value.kind === "skipped") return ok(ran.value);
  return figureOf(await project.coverage(file.value), { not: before, ran: ran.value });
}

/** Where no report comes out of the tests, there is nothing to compare: said, not failed (spec 9.4). */
async function measureProjectCoverage(
  site: GateSite,
  metric: Extract<PlannedMetric, { kind: "project-coverage" }>,
): Promise<Result<Measured | Skipped, GateTrouble>> {
  const { project } = site.frame.run.ports;
  const before = await project.coverage(null);
  const ran = await runGateCommand(
    site,
    { kind: "project", command: metric.command },
    { split: false, anyEnd: true },
  );
  if (!ran.ok) return ran;
  if (ran.value.kind === "skipped") return ok(ran.value);
  const after = await project.coverage(null);
  if (after.kind === "missing" || (after.kind === "read" && after.stamp === stampOf(before))) {
    const why = `\`${ran.value.rendered}\` wrote no coverage report; a gate of your own can say how, with metric: {coverage: FILE, run: COMMAND}`;
    return ok({ kind: "skipped", why, ran: ran.value });
  }
  return figureOf(after, { not: null, ran: ran.value });
}

function stampOf(reading: CoverageReading): string | null {
  return reading.kind === "read" ? reading.stamp : null;
}

function figureOf(
  reading: CoverageReading,
  { not, ran }: { readonly not: string | null; readonly ran: GateRun | null },
): Result<Measured, GateTrouble> {
  const trouble = (message: string, next: readonly string[]): Result<never, GateTrouble> =>
    err({ ...failure("validation", message, null, next), ran });
  switch (reading.kind) {
    case "missing":
      return trouble(`there is no coverage report ${reading.file}`, [
        ran === null
          ? "let an earlier step make it, or write its command: metric: {coverage: FILE, run: COMMAND}"
          : "check where the command writes its report",
      ]);
    case "unreadable":
      return trouble(`the coverage report ${reading.file} cannot be used: ${reading.why}`, [
        "lcov, Cobertura XML and Istanbul's json-summary are read",
      ]);
    case "read":
      if (reading.stamp !== not)
        return ok({ kind: "figure", figure: reading.figure, stamp: reading.stamp, ran });
      return trouble(`the coverage report ${reading.file} is stale: nothing wrote it since`, [
        ran === null
          ? "let the step make it anew, or write its command: metric: {coverage: FILE, run: COMMAND}"
          : "check where the command writes its report",
      ]);
    default:
      return unreachable(reading);
  }
}
