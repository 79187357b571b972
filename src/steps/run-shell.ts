/** How a `shell:` step runs (spec 2.1, 3.2). */
import { failure, processFailure, refused } from "../engine/failure.ts";
import type { Executed, KindHooks, KindRequest, Prepared } from "../engine/kind.ts";
import { renderShell, renderText } from "../engine/render.ts";
import type { PlannedShell } from "../playbook/plan-model.ts";

export async function prepareShell(request: KindRequest<PlannedShell>): Promise<Prepared> {
  const { frame, planned, unit } = request;
  const { store } = frame.run.ports;
  const context = { scope: frame.scope, store, unit };
  const source = planned.step.run.value;
  const script = await renderShell(planned.run, context);
  const stdin = planned.stdin === null ? null : await renderText(planned.stdin, context);
  const problem = script.ok ? (stdin?.ok === false ? stdin.error : null) : script.error;
  if (problem !== null) {
    // A shell step does not wait for a spec: what is not there is an empty text (spec 3.1).
    const trouble =
      problem.kind === "refused" ? refused(problem) : failure("value", problem.reference);
    return { kind: "refused", rendered: source, failure: trouble };
  }
  if (!script.ok)
    return { kind: "refused", rendered: source, failure: failure("value", "no script") };
  const log = store.file("log", unit);
  return {
    kind: "ready",
    rendered: script.value.shown,
    log,
    warnings: script.value.warnings,
    execute: (hooks, signal, run) =>
      execute(
        { ...request, unit: run },
        { ...script.value, stdin: stdin?.ok === true ? stdin.value : null },
        { hooks, signal },
      ),
  };
}

async function execute(
  request: KindRequest<PlannedShell>,
  ready: {
    readonly script: string;
    readonly env: Readonly<Record<string, string>>;
    readonly stdin: string | null;
  },
  { hooks, signal }: { readonly hooks: KindHooks; readonly signal: AbortSignal },
): Promise<Executed> {
  const { frame, planned, unit } = request;
  const { shell, store } = frame.run.ports;
  const log = store.file("log", unit);
  const splitFiles = planned.split
    ? { stdout: store.file("stdout", unit), stderr: store.file("stderr", unit) }
    : null;
  const report = await shell.run(
    {
      script: ready.script,
      stdin: ready.stdin,
      cwd: request.cwd,
      env: { ...request.env, ...ready.env },
      timeoutMs: planned.step.timeoutMs,
      logFile: log,
      splitFiles,
      onStart: hooks.onStart,
      onOutput: hooks.onOutput,
    },
    signal,
  );
  const failed = processFailure("the command", report.end);
  const tooLong =
    report.end.kind === "exited" && report.end.code === 126 && Object.keys(ready.env).length > 0;
  return {
    end: report.end,
    durationMs: report.durationMs,
    failure:
      failed !== null && tooLong
        ? {
            ...failed,
            next: ["a value over 128 KiB cannot be an argument: pass its path with ${...|file}"],
          }
        : failed,
    cut: null,
    tail: report.tail,
    outputFile: log,
    stdoutFile: splitFiles?.stdout ?? null,
    stderrFile: splitFiles?.stderr ?? null,
    usage: null,
    turns: null,
    model: null,
    warnings: [],
    masked: report.masked ?? false,
  };
}
