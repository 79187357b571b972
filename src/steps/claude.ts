import * as z from "zod";
import type { ClaudeOptions, ClaudeStep, SourceText, StepCommon } from "../playbook/model.ts";
import { prefixText, sliceText } from "../playbook/source-text.ts";
import type { Entries } from "../playbook/tree.ts";
import { entriesOf, listOfTexts, numberOf, requiredText, textOf } from "../playbook/values-of.ts";
import type { StepKind } from "./kind.ts";
import { stepOptions } from "./options.ts";
import * as is from "./schema.ts";

/** Modes of CLI 2.0 to the newest; see the CLI's `--permission-mode`. */
const PERMISSION_MODES = [
  "acceptEdits",
  "auto",
  "bypassPermissions",
  "default",
  "dontAsk",
  "manual",
  "plan",
] as const;

/** Options of a Claude step, and of all of them in the header's `claude`. */
export const claudeOptions = {
  model: is.text.optional(),
  max_turns: is.wholeNumber(1, 100_000).optional(),
  permission_mode: z
    .enum(PERMISSION_MODES, { error: `one of ${PERMISSION_MODES.join(" ")}` })
    .optional(),
  allowed_tools: is.texts.optional(),
  disallowed_tools: is.texts.optional(),
  append_system_prompt: is.text.optional(),
};

/** Entries have passed {@link claudeOptions}. */
export function readClaudeOptions(entries: Entries): ClaudeOptions {
  const model = textOf(entries, "model");
  const maxTurns = numberOf(entries, "max_turns");
  const permissionMode = textOf(entries, "permission_mode");
  const allowedTools = listOfTexts(entries, "allowed_tools");
  const disallowedTools = listOfTexts(entries, "disallowed_tools");
  const appendSystemPrompt = textOf(entries, "append_system_prompt");
  return {
    ...(model !== null && { model }),
    ...(maxTurns !== null && { maxTurns }),
    ...(permissionMode !== null && { permissionMode }),
    ...(allowedTools !== null && { allowedTools: allowedTools.map(({ value }) => value) }),
    ...(disallowedTools !== null && { disallowedTools: disallowedTools.map(({ value }) => value) }),
    ...(appendSystemPrompt !== null && { appendSystemPrompt }),
  };
}

/** A bare text: a command, slash added when missing, arguments as written. */
export function readCommandText(text: SourceText): Omit<ClaudeStep, keyof StepCommon> {
  return { kind: "claude", form: "string", prompt: withSlash(text), args: [], options: {} };
}

const body = z.strictObject({ prompt: is.text, ...claudeOptions });

/** `claude: "..."` or `claude: {prompt, ...}`: the prompt verbatim. */
export const claudeKind: StepKind = {
  key: "claude",
  weak: false,
  schema: z.strictObject({
    claude: z.union([is.text, body], { error: "a text that is not empty, or {prompt, ...}" }),
    ...stepOptions,
  }),
  read: (entries) => ({
    kind: "claude",
    form: "claude",
    prompt: promptOf(entries),
    args: [],
    options: readClaudeOptions(entriesOf(entries.get("claude")?.value)),
  }),
  label: (entries) => promptOf(entries).value,
};

function promptOf(entries: Entries): SourceText {
  const claude = entries.get("claude")?.value;
  return claude?.kind === "mapping"
    ? requiredText(claude.entries, "prompt")
    : requiredText(entries, "claude");
}

/** `{name: mmm-x, args: [...]}`: the command `/mmm-x arg arg`. */
export const commandKind: StepKind = {
  key: "name",
  weak: true,
  schema: z.strictObject({
    ...stepOptions,
    name: is.text.regex(/^\s*\/?[^\s/]\S*\s*$/, {
      error: "one word, a Claude command, in a step without `claude` or `shell`",
    }),
    args: z.array(is.scalar, { error: "a list of texts" }).optional(),
  }),
  read: (entries) => ({
    kind: "claude",
    form: "name",
    prompt: withSlash(requiredText(entries, "name")),
    args: listOfTexts(entries, "args") ?? [],
    options: {},
  }),
  label(entries) {
    const words = [requiredText(entries, "name"), ...(listOfTexts(entries, "args") ?? [])];
    return words.map(({ value }) => value).join(" ");
  },
};

/** Trimmed, so that the prompt's first character is the slash. */
function withSlash(text: SourceText): SourceText {
  const start = text.value.length - text.value.trimStart().length;
  const trimmed = sliceText(text, start, start + text.value.trim().length);
  return trimmed.value.startsWith("/") ? trimmed : prefixText("/", trimmed);
}
