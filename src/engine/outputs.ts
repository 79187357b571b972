/** Declared outputs and `spec`, after a successful attempt (spec 3.3). */
import { err, ok, type Result } from "../lib/result.ts";
import type { OutputDeclaration, OutputRule, Step } from "../playbook/model.ts";
import { MASK } from "../lib/redact.ts";
import { textOf, type Value } from "../values/value.ts";
import type { FileChange, StorePort } from "./ports.ts";
import { CAPTURE_BYTES } from "./render.ts";
import type { StepRecord } from "./scope.ts";

/**
 * Fills `record.outputs`; the error says which output cannot be had and what was there instead.
 *
 * `lenient`, for a failure that is tolerated: what cannot be had is left out, and is null.
 */
export async function takeOutputs(
  step: Step,
  record: StepRecord,
  sources: {
    readonly files: readonly FileChange[];
    readonly store: StorePort;
    readonly lenient: boolean;
  },
): Promise<Result<readonly { readonly name: string; readonly value: Value }[], string>> {
  const taken: { name: string; value: Value }[] = [];
  for (const declaration of step.outputs) {
    const { rule } = declaration;
    const value =
      rule === null
        ? err(`output ${declaration.name}: its command does not say how it is read`)
        : rule.kind === "file"
          ? await fileOutput(declaration, rule, step, sources.files)
          : await textOutput(declaration, rule, record, sources.store);
    if (!value.ok && sources.lenient) continue;
    if (!value.ok) return value;
    record.outputs.set(declaration.name, value.value);
    if (rule?.kind === "file") record.fileOutputs.add(declaration.name);
    taken.push({ name: declaration.name, value: value.value });
  }
  if (step.kind === "claude" && !record.outputs.has("spec")) {
    record.fileOutputs.add("spec");
    const [spec] = specsIn(sources.files);
    if (spec !== undefined) record.outputs.set("spec", spec);
  }
  return ok(taken);
}

/** Specs that a Claude step added, newest first: those under `specs/`, else any Markdown. */
export function specsIn(files: readonly FileChange[]): readonly string[] {
  const added = files
    .filter(({ path, status }) => status === "added" && path.endsWith(".md"))
    .map(({ path }) => path);
  const inSpecs = added.filter((path) => /(^|\/)specs\//.test(path));
  return inSpecs.length > 0 ? inSpecs : added;
}

async function fileOutput(
  { name }: OutputDeclaration,
  rule: Extract<OutputRule, { kind: "file" }>,
  step: Step,
  files: readonly FileChange[],
): Promise<Result<Value, string>> {
  // Loaded for the steps that declare something: most declare nothing.
  const { globMatcher } = await import("../lib/glob.ts");
  const matches = globMatcher(rule.pattern);
  const found = files
    .filter(({ status }) => status !== "deleted")
    .map(({ path }) => path)
    .filter((path) => matches(path) || matches(path.slice(path.lastIndexOf("/") + 1)));
  if (found.length > 0) return ok(rule.all ? found : (found[0] ?? null));
  if (rule.default !== undefined) return ok(rule.default as Value); // The reader lets JSON values through only.
  // A Claude step that changed nothing found nothing to do: no failure, and null for who refers to it.
  if (step.kind === "claude" && files.length === 0) return ok(null);
  const there =
    files.length === 0 ? "the step changed no file" : `the step changed ${listed(files)}`;
  return err(`output ${name}: no file matches ${rule.pattern}; ${there}`);
}

async function textOutput(
  { name }: OutputDeclaration,
  rule: Extract<OutputRule, { kind: "capture" }>,
  record: StepRecord,
  store: StorePort,
): Promise<Result<Value, string>> {
  const file =
    rule.from === "stdout"
      ? (record.stdoutFile ?? record.outputFile)
      : rule.from === "stderr"
        ? record.stderrFile
        : record.outputFile;
  const bytes = file === null ? 0 : await store.size(file);
  if (bytes > CAPTURE_BYTES) {
    return err(
      `output ${name}: ${(bytes / 1024 / 1024).toFixed(1)} MiB of text, more than the 10 MiB that are captured`,
    );
  }
  const text = file === null ? "" : (await store.read(file)).text;
  const { captureValue } = await import("./capture.ts");
  const captured = captureValue(text, rule);
  const value = record.masked ? withoutMask(captured) : captured;
  if (value.ok) return value;
  if (rule.default !== undefined) return ok(rule.default as Value); // As above.
  return err(`output ${name}: ${value.error}`);
}

/** Stars are no value: what would be done with them is not what the author meant. */
function withoutMask(value: Result<Value, string>): Result<Value, string> {
  if (!value.ok || !textOf(value.value).includes(MASK)) return value;
  return err(
    `what was captured holds a secret, and values with secrets are not kept; hand the secret itself on, as the variable of its name`,
  );
}

function listed(files: readonly FileChange[]): string {
  const shown = files.slice(0, 5).map(({ path }) => path);
  const more = files.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
