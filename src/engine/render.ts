/** References to text: what a prompt, a shell text or an environment value becomes (spec 3.2). */
import { byteLength } from "../lib/byte-length.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Reference } from "../values/reference.ts";
import type { ShellText } from "../values/shell/compile.ts";
import { type RenderedShell, renderShellText, type Resolved } from "../values/shell/render.ts";
import type { TextTemplate } from "../values/text.ts";
import { textOf } from "../values/value.ts";
import type { StorePort } from "./ports.ts";
import { defuse, type Piece } from "./defuse.ts";
import type { Found, Scope } from "./scope.ts";
import { shownShell } from "./shown.ts";

/** Over this a value goes into a prompt as the path of a file (the original's rule, spec 3.2). */
const PROMPT_VALUE_BYTES = 10_000;
/** Over this a value reaches a shell by file (`shell-quoting`: one environment string holds 131 072). */
const SHELL_VALUE_BYTES = 100_000;
/** Most that is ever read into memory for one value or output (spec 11). */
export const CAPTURE_BYTES = 10 * 1024 * 1024;

/** Why a text could not be made. `nothing-to-do` is no failure (spec 3.3). */
export type RenderProblem =
  | { readonly kind: "refused"; readonly message: string; readonly next: readonly string[] }
  | { readonly kind: "nothing-to-do"; readonly reference: string; readonly step: string | null };

/** What rendering needs. `unit` names the files that carry values. */
export interface RenderContext {
  readonly scope: Scope;
  readonly store: StorePort;
  readonly unit: string;
}

/** A prompt. In a slash command the CLI may read values as code; there they are kept from that. */
export async function renderPrompt(
  template: TextTemplate,
  context: RenderContext,
  { isSlashCommand }: { readonly isSlashCommand: boolean },
): Promise<Result<string, RenderProblem>> {
  const pieces: Piece[] = [];
  for (const part of template.parts) {
    if (typeof part === "string") {
      pieces.push({ text: part, from: null });
      continue;
    }
    const piece = await promptPiece(part, context);
    if (!piece.ok) return piece;
    pieces.push(piece.value);
  }
  if (isSlashCommand) await defuse(pieces, context);
  const nul = pieces.find(({ text }) => text.includes("\0"));
  if (nul !== undefined) return err(nulRefused(nul.from?.text ?? "the prompt"));
  return ok(pieces.map(({ text }) => text).join(""));
}

/** `env`, `stdin`, `working_dir`, `commit_message`: the text as it is. */
export async function renderText(
  template: TextTemplate,
  context: RenderContext,
): Promise<Result<string, RenderProblem>> {
  let text = "";
  for (const part of template.parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const loaded = await load(part, context);
    if (!loaded.ok) return loaded;
    if (part.filter === "file") {
      text += await fileOf(part, loaded.value, context);
      continue;
    }
    if (loaded.value.text === null) return err(tooLarge(part, loaded.value.bytes));
    text += loaded.value.text;
  }
  return ok(text);
}

/**
 * A shell text with its values in environment variables or files; the caller's `env` gains them.
 *
 * `shown` is for people alone: the author's text with each reference replaced by its value.
 */
export async function renderShell(
  text: ShellText,
  context: RenderContext,
): Promise<
  Result<
    {
      readonly script: string;
      readonly env: Record<string, string>;
      readonly warnings: readonly string[];
      readonly shown: string;
    },
    RenderProblem
  >
> {
  // By text: what `|raw` brings in is scanned again, and yields references of the same text.
  const resolved = new Map<string, Resolved>();
  for (const reference of text.references) {
    const found = await resolveForShell(reference, context);
    if (!found.ok) return found;
    resolved.set(reference.text, found.value);
  }
  const rendered = renderShellText(
    text,
    (reference) => resolved.get(reference.text) ?? { value: null, foreign: true },
  );
  if (!rendered.ok) return err({ kind: "refused", message: rendered.error.message, next: [] });
  const ready = await withFiles(rendered.value, context);
  const files = rendered.value.files.map(
    ({ variable, content }) => [content, ready.env[variable] ?? ""] as const,
  );
  return ok({
    ...ready,
    shown: shownShell(text, resolved, { paths: new Map(files), mask: context.scope.mask }),
  });
}

async function withFiles(
  rendered: RenderedShell,
  { store, unit }: RenderContext,
): Promise<{ script: string; env: Record<string, string>; warnings: readonly string[] }> {
  const env: Record<string, string> = { ...rendered.env };
  for (const { variable, content } of rendered.files) {
    env[variable] = await store.writeOutput(`${unit}${variable}`, content);
  }
  return { script: rendered.script, env, warnings: rendered.warnings };
}

interface Loaded {
  /** `null`: too large to be read. */
  readonly text: string | null;
  readonly bytes: number;
  readonly file: string | null;
}

async function promptPiece(
  reference: Reference,
  context: RenderContext,
): Promise<Result<Piece, RenderProblem>> {
  const found = context.scope.find(reference);
  if (found.kind === "nothing-to-do" && reference.fallback === null) {
    return err({ kind: "nothing-to-do", reference: reference.text, step: found.step });
  }
  const loaded = await load(reference, context);
  if (!loaded.ok) return loaded;
  const { text, bytes } = loaded.value;
  if (reference.filter === "file" || text === null || bytes > PROMPT_VALUE_BYTES) {
    return ok({ text: await fileOf(reference, loaded.value, context), from: reference });
  }
  return ok({ text, from: reference });
}

/** The value's text with the fallback applied; kept on disk when it is too large for memory. */
async function load(
  reference: Reference,
  { scope, store }: RenderContext,
): Promise<Result<Loaded, RenderProblem>> {
  const found = scope.find(reference);
  if (found.kind === "file") {
    const bytes = await store.size(found.file);
    if (bytes === 0 && reference.fallback !== null) return ok(loadedText(reference.fallback));
    if (bytes > CAPTURE_BYTES) return ok({ text: null, bytes, file: found.file });
    const { text } = await store.read(found.file);
    return ok({ text, bytes, file: found.file });
  }
  const text = found.kind === "value" ? textOf(found.value) : "";
  return ok(loadedText(text === "" && reference.fallback !== null ? reference.fallback : text));
}

function loadedText(text: string): Loaded {
  return { text, bytes: byteLength(text), file: null };
}

async function fileOf(
  reference: Reference,
  loaded: Loaded,
  { store, unit }: RenderContext,
): Promise<string> {
  return loaded.file ?? (await store.writeOutput(`${unit}.${reference.name}`, loaded.text ?? ""));
}

async function resolveForShell(
  reference: Reference,
  context: RenderContext,
): Promise<Result<Resolved, RenderProblem>> {
  const found: Found = context.scope.find(reference);
  if (found.kind === "value") return ok({ value: found.value, foreign: found.foreign });
  if (found.kind === "nothing-to-do") return ok({ value: null, foreign: true });
  const { store } = context;
  const bytes = await store.size(found.file);
  if (reference.filter === "file") {
    return ok({ value: "", foreign: true, ...(bytes === 0 ? {} : { file: found.file }) });
  }
  if (bytes > CAPTURE_BYTES) return err(tooLarge(reference, bytes));
  const { text, exact } = await store.read(found.file);
  const asText = reference.filter === "raw" || reference.filter === "quote";
  if (asText || (exact && bytes <= SHELL_VALUE_BYTES)) return ok({ value: text, foreign: true });
  return ok({ value: text, foreign: true, file: found.file });
}

function tooLarge(reference: Reference, bytes: number): RenderProblem {
  const mib = (bytes / 1024 / 1024).toFixed(1);
  return {
    kind: "refused",
    message: `the value of ${reference.text} has ${mib} MiB, more than the 10 MiB that fit here`,
    next: [`pass it by file: \${${reference.name}|file}`],
  };
}

function nulRefused(what: string): RenderProblem {
  return {
    kind: "refused",
    message: `the value of ${what} holds a NUL byte, which no argument or variable can carry`,
    next: ["write it to a file, and pass the path"],
  };
}
