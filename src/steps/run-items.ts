/** The items of a loop: written in the playbook, made by an earlier step, or printed by a command (spec 2.8). */
import { failure, processFailure, refused } from "../engine/failure.ts";
import type { KindHooks, KindRequest } from "../engine/kind.ts";
import type { Failure } from "../engine/outcome.ts";
import type { ShellReport } from "../engine/ports.ts";
import { CAPTURE_BYTES, type RenderContext, renderShell, renderText } from "../engine/render.ts";
import { MASK } from "../lib/redact.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { PlannedForeach, PlannedItems, PlannedLiteral } from "../playbook/plan-model.ts";
import type { Reference } from "../values/reference.ts";
import type { TextTemplate } from "../values/text.ts";
import { isList, type Value } from "../values/value.ts";

type Request = KindRequest<PlannedForeach>;

export type Items =
  | { readonly kind: "items"; readonly items: readonly Value[]; readonly foreign: boolean }
  | { readonly kind: "failed"; readonly failure: Failure; readonly report: ShellReport | null };

interface PreparedItems {
  /** For people. */
  readonly rendered: string;
  readonly log: string | null;
  readonly warnings: readonly string[];
  readonly list: (hooks: KindHooks, signal: AbortSignal) => Promise<Items>;
}

/** The error: a text could not be made, or what is referred to is no list. */
export async function prepareItems(request: Request): Promise<Result<PreparedItems, Failure>> {
  const { frame, planned, unit } = request;
  const { items, step } = planned;
  const context = { scope: frame.scope, store: frame.run.ports.store, unit };
  if (items.kind === "shell") return prepareCommand(request, items, context);
  const made =
    items.kind === "list"
      ? await literals(items.items, context)
      : referred(items.reference, context);
  if (!made.ok) return made;
  const list = async (): Promise<Items> => Promise.resolve({ kind: "items", ...made.value });
  return ok({ rendered: step.label, log: null, warnings: [], list });
}

type Made = Result<{ readonly items: readonly Value[]; readonly foreign: boolean }, Failure>;

async function literals(items: readonly PlannedLiteral[], context: RenderContext): Promise<Made> {
  const values: Value[] = [];
  for (const item of items) {
    const value = await literal(item, context);
    if (!value.ok) return value;
    values.push(value.value);
  }
  const foreign = items.some((item) => isForeign(item, context));
  return ok({ items: values, foreign });
}

async function literal(
  item: PlannedLiteral,
  context: RenderContext,
): Promise<Result<Value, Failure>> {
  switch (item.kind) {
    case "value":
      return ok(item.value);
    case "text":
      return textOf(item.text, context);
    case "list": {
      const values: Value[] = [];
      for (const inner of item.items) {
        const value = await literal(inner, context);
        if (!value.ok) return value;
        values.push(value.value);
      }
      return ok(values);
    }
    default: {
      const entries: [string, Value][] = [];
      for (const [key, inner] of item.entries) {
        const value = await literal(inner, context);
        if (!value.ok) return value;
        entries.push([key, value.value]);
      }
      return ok(Object.fromEntries(entries));
    }
  }
}

async function textOf(
  template: TextTemplate,
  context: RenderContext,
): Promise<Result<string, Failure>> {
  const text = await renderText(template, context);
  if (text.ok) return text;
  const { error } = text;
  return err(error.kind === "refused" ? refused(error) : notThere(error.reference));
}

function notThere(reference: string): Failure {
  return failure("value", `an item of the list is not there: ${reference} has no value`);
}

/** An item with a value in it that a command or a model made. */
function isForeign(item: PlannedLiteral, context: RenderContext): boolean {
  if (item.kind === "value") return false;
  if (item.kind === "list") return item.items.some((inner) => isForeign(inner, context));
  if (item.kind === "mapping") return item.entries.some(([, inner]) => isForeign(inner, context));
  return item.text.references.some((reference) => {
    const found = context.scope.find(reference);
    return found.kind !== "value" || found.foreign;
  });
}

function referred(reference: Reference | null, { scope }: RenderContext): Made {
  if (reference === null) throw new Error("a loop over nothing was planned");
  const found = scope.find(reference);
  // What nobody made is an empty list: outputs of a skipped step are null (spec 2.5).
  if (found.kind === "nothing-to-do" || (found.kind === "value" && found.value === null))
    return ok({ items: [], foreign: false });
  if (found.kind === "value" && isList(found.value))
    return ok({ items: found.value, foreign: found.foreign });
  const what =
    found.kind === "file" || typeof found.value === "string"
      ? "a text"
      : typeof found.value === "object"
        ? "an object"
        : `the ${typeof found.value} ${String(found.value)}`;
  return err(
    failure("value", `foreach: ${reference.text} is ${what}, not a list`, null, [
      "capture a list: `capture: lines`, or `json` with a `path` to an array",
    ]),
  );
}

async function prepareCommand(
  request: Request,
  items: Extract<PlannedItems, { kind: "shell" }>,
  context: RenderContext,
): Promise<Result<PreparedItems, Failure>> {
  const { frame, unit } = request;
  const { store, shell } = frame.run.ports;
  const script = await renderShell(items.run, context);
  if (!script.ok) {
    const { error } = script;
    return err(error.kind === "refused" ? refused(error) : notThere(error.reference));
  }
  const { shown, warnings, env } = script.value;
  const log = store.file("log", unit);
  const stdout = store.file("stdout", unit);
  const list = async (hooks: KindHooks, signal: AbortSignal): Promise<Items> => {
    const report = await shell.run(
      {
        script: script.value.script,
        stdin: null,
        cwd: request.cwd,
        env: { ...request.env, ...env },
        timeoutMs: items.timeoutMs,
        logFile: log,
        splitFiles: { stdout, stderr: store.file("stderr", unit) },
        onStart: hooks.onStart,
        onOutput: hooks.onOutput,
      },
      signal,
    );
    // A command that should only list may have changed something.
    frame.look = await frame.run.ports.tree.look();
    const ended = processFailure("the command that lists the items", report.end);
    if (ended !== null) return { kind: "failed", failure: ended, report };
    const made = await printed(stdout, { masked: report.masked ?? false, store });
    return made.ok
      ? { kind: "items", items: made.value, foreign: true }
      : { kind: "failed", failure: made.error, report };
  };
  return ok({ rendered: `foreach line of ${shown}`, log, warnings, list });
}

/** A JSON array, or else a line each; lines with nothing on them are no items. */
async function printed(
  file: string,
  { masked, store }: { readonly masked: boolean } & Pick<RenderContext, "store">,
): Promise<Result<readonly Value[], Failure>> {
  const bytes = await store.size(file);
  if (bytes > CAPTURE_BYTES) {
    const mib = (bytes / 1024 / 1024).toFixed(1);
    return err(failure("value", `the list has ${mib} MiB, more than the 10 MiB that fit here`));
  }
  const { text, exact } = await store.read(file);
  if (!exact) {
    const message = "the list holds bytes that are not UTF-8: items would not be what was printed";
    return err(failure("value", message));
  }
  if (masked && text.includes(MASK)) {
    return err(failure("value", "the list holds a secret, and values with secrets are not kept"));
  }
  return ok(jsonList(text) ?? text.split(/\r?\n/).filter((line) => line.trim() !== ""));
}

function jsonList(text: string): readonly Value[] | null {
  if (!text.trimStart().startsWith("[")) return null;
  try {
    const value = JSON.parse(text) as Value; // JSON holds nothing but Values.
    return isList(value) ? value : null;
  } catch {
    // A line may begin with a bracket: `[x] done`.
    return null;
  }
}
