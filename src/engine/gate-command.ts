/** Runs the command of a gate: a child like any other, with a log of its own (spec 2.6). */
import { err, ok, type Result } from "../lib/result.ts";
import type { ProjectField } from "../values/gate-words.ts";
import type { ShellText } from "../values/shell/compile.ts";
import type { TextTemplate } from "../values/text.ts";
import { surroundings } from "./environment.ts";
import { failure, lastLines, processFailure, refused } from "./failure.ts";
import type { GateSite, GateTrouble, Skipped } from "./gate-model.ts";
import { exitCodeOf } from "./kind.ts";
import type { Failure, ProcessEnd } from "./outcome.ts";
import { renderShell, renderText, type RenderProblem } from "./render.ts";

/** One command that has run. */
export interface GateRun {
  readonly kind: "ran";
  /** For people: with its values. */
  readonly rendered: string;
  readonly end: ProcessEnd;
  readonly tail: string;
  readonly log: string;
  readonly stdoutFile: string | null;
  readonly durationMs: number;
  /** `***` stands for a secret in what it printed. */
  readonly masked: boolean;
}

type Command =
  | { readonly kind: "shell"; readonly run: ShellText }
  | { readonly kind: "project"; readonly command: ProjectField };

interface How {
  /** Keep stdout alone. */
  readonly split: boolean;
  /** A command that fails has run all the same: what counts is what it leaves. */
  readonly anyEnd?: boolean;
}

/** The error: it could not be run, or ended in another way than with exit code 0. */
export async function runGateCommand(
  site: GateSite,
  command: Command,
  how: How,
): Promise<Result<GateRun | Skipped, GateTrouble>> {
  const { frame, at, attempt, gate, when } = site;
  const { ports, sink, signal, facts } = frame.run;
  const unit = `${site.unit}.${when}.${gate.name}`;
  const around = await surroundings(frame, { ...site.planned, kind: "shell" }, unit);
  if (!around.ok) return err({ ...around.error, reason: "validation", ran: null });
  const ready = await scriptOf(site, command, unit);
  if (!ready.ok) return err({ ...ready.error, ran: null });
  if (ready.value.kind === "skipped") return ok(ready.value);
  const { script, shown, env } = ready.value;
  const log = ports.store.file("log", unit);
  const splitFiles = how.split
    ? { stdout: ports.store.file("stdout", unit), stderr: ports.store.file("stderr", unit) }
    : null;
  sink.event({ type: "gate-started", at, attempt, gate: gate.name, when, command: shown, log });
  const report = await ports.shell.run(
    {
      script,
      stdin: null,
      // What the project calls its own commands is written for its top folder.
      cwd: command.kind === "project" ? ports.tree.root : facts.cwd,
      env: { ...around.value.env, ...env },
      timeoutMs: gate.timeoutMs ?? site.timeoutMs,
      logFile: log,
      splitFiles,
      onStart: (process) => sink.event({ type: "process-started", at, attempt, process }),
      onOutput: (text) => sink.live({ type: "output", at, text }),
    },
    signal,
  );
  const { end, durationMs } = report;
  const stdoutFile = splitFiles?.stdout ?? null;
  const tail = lastLines(report.tail);
  const ran: GateRun = {
    kind: "ran",
    rendered: shown,
    end,
    tail,
    log,
    stdoutFile,
    durationMs,
    masked: report.masked ?? false,
  };
  const failed = processFailure(`\`${firstLine(shown)}\``, end);
  if (failed === null || (how.anyEnd === true && exitCodeOf(end) !== null)) return ok(ran);
  // Its exit code is not the step's: `on_exit_code` is about the step.
  const reason = failed.reason === "cancelled" ? "cancelled" : "validation";
  return err({ ...failed, reason, exitCode: null, ran });
}

/** A text of a gate with its values. */
export async function textFor(
  { frame, planned }: GateSite,
  template: TextTemplate,
): Promise<Result<string, Failure>> {
  const context = { scope: frame.scope, store: frame.run.ports.store, unit: planned.path };
  const text = await renderText(template, context);
  return text.ok ? text : err(problemOf(text.error));
}

const SHOWN_UNITS = 2_000;

interface Script {
  readonly kind: "script";
  readonly script: string;
  readonly shown: string;
  readonly env: Readonly<Record<string, string>>;
}

async function scriptOf(
  { frame }: GateSite,
  command: Command,
  unit: string,
): Promise<Result<Script | Skipped, Failure>> {
  const { ports, secrets } = frame.run;
  const { store, project } = ports;
  // Masked before it is cut: half a secret is one still.
  const forPeople = (text: string): string => cut(secrets.mask(text));
  if (command.kind === "shell") {
    const text = await renderShell(command.run, { scope: frame.scope, store, unit });
    if (!text.ok) return err(problemOf(text.error));
    const { script, shown, env } = text.value;
    return ok({ kind: "script", script, shown: forPeople(shown), env });
  }
  const script = (await project.commands())[command.command];
  if (script === null) {
    const why = `no ${command.command} command was found; say it under project.${command.command} in .mmm/config.yml`;
    return ok({ kind: "skipped", why, ran: null });
  }
  return ok({ kind: "script", script, shown: forPeople(script), env: {} });
}

function problemOf(problem: RenderProblem): Failure {
  if (problem.kind === "refused") return { ...refused(problem), reason: "validation" };
  return failure("validation", `${problem.reference} is not there`);
}

function cut(text: string): string {
  return text.length > SHOWN_UNITS ? `${text.slice(0, SHOWN_UNITS)}…` : text;
}

function firstLine(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
