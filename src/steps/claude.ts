import * as z from "zod";
import type {
  ClaudeOptions,
  ClaudeStep,
  ContinuedSession,
  OutputSchema,
  SourceText,
  StepCommon,
} from "../playbook/model.ts";
import { prefixText, sliceText } from "../playbook/source-text.ts";
import { plainValue, type Entries } from "../playbook/tree.ts";
import {
  boolOf,
  durationOf,
  entriesOf,
  listOfTexts,
  numberOf,
  optionalText,
  requiredText,
  textOf,
} from "../playbook/values-of.ts";
import type { StepKind } from "./kind.ts";
import { stepOptions } from "./options.ts";
import * as is from "./schema.ts";
import { later, once, together } from "./shape.ts";

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

/** Linux takes one argument of at most 131 071 bytes. */
const MAX_SCHEMA_CHARACTERS = 30_000;

/** The API takes only objects as what a tool is given, and a structured answer is such a call. */
const schemaMapping = once(() =>
  z
    .looseObject(
      { type: z.literal("object", { error: "`object`" }) },
      {
        error:
          "a JSON Schema as a mapping with `type: object`, or the path of a file that holds one",
      },
    )
    .refine((value) => JSON.stringify(value).length <= MAX_SCHEMA_CHARACTERS, {
      error: `a JSON Schema of at most ${MAX_SCHEMA_CHARACTERS} characters`,
    })
    .meta(is.formed("output-schema")),
);

/** Options of a Claude step, and of all of them in the header's `claude`. */
export const claudeOptions = later({
  model: () => is.text.optional(),
  max_turns: () => is.wholeNumber(1, 100_000).optional(),
  permission_mode: () =>
    z.enum(PERMISSION_MODES, { error: `one of ${PERMISSION_MODES.join(" ")}` }).optional(),
  allowed_tools: () => is.texts().optional(),
  disallowed_tools: () => is.texts().optional(),
  append_system_prompt: () => is.text.optional(),
  idle_timeout: () => is.duration({ zero: false }).optional(),
});

/** What belongs to one step alone. */
const ownOptions = later({
  output_schema: () =>
    z
      .union([is.text, schemaMapping()], {
        error:
          "a JSON Schema as a mapping with `type: object`, or the path of a file that holds one",
      })
      .optional(),
  continue_session: () =>
    z
      .union([z.literal(true), is.identifier()], {
        error: "true or the id of an earlier Claude step",
      })
      .optional(),
});

/** Entries have passed {@link claudeOptions}. */
export function readClaudeOptions(entries: Entries): ClaudeOptions {
  const model = textOf(entries, "model");
  const maxTurns = numberOf(entries, "max_turns");
  const permissionMode = textOf(entries, "permission_mode");
  const allowedTools = listOfTexts(entries, "allowed_tools");
  const disallowedTools = listOfTexts(entries, "disallowed_tools");
  const appendSystemPrompt = textOf(entries, "append_system_prompt");
  const idleTimeoutMs = durationOf(entries, "idle_timeout");
  const outputSchema = schemaOf(entries);
  return {
    ...(model !== null && { model }),
    ...(maxTurns !== null && { maxTurns }),
    ...(permissionMode !== null && { permissionMode }),
    ...(allowedTools !== null && { allowedTools: allowedTools.map(({ value }) => value) }),
    ...(disallowedTools !== null && { disallowedTools: disallowedTools.map(({ value }) => value) }),
    ...(appendSystemPrompt !== null && { appendSystemPrompt }),
    ...(idleTimeoutMs !== null && { idleTimeoutMs }),
    ...(outputSchema !== null && { outputSchema }),
  };
}

function schemaOf(entries: Entries): OutputSchema | null {
  const tree = entries.get("output_schema")?.value;
  if (tree?.kind === "mapping") return { kind: "inline", json: JSON.stringify(plainValue(tree)) };
  const path = textOf(entries, "output_schema");
  return path === null ? null : { kind: "file", path };
}

function continuedOf(entries: Entries): ContinuedSession | null {
  const text = optionalText(entries, "continue_session");
  if (text === null) return null;
  return { step: boolOf(entries, "continue_session") === true ? null : text.value, text };
}

/** A bare text: a command, slash added when missing, arguments as written. */
export function readCommandText(text: SourceText): Omit<ClaudeStep, keyof StepCommon> {
  const prompt = withSlash(text);
  return { kind: "claude", form: "string", prompt, args: [], options: {}, continues: null };
}

const body = once(() => z.strictObject({ prompt: is.text, ...claudeOptions, ...ownOptions }));

/** `claude: "..."` or `claude: {prompt, ...}`: the prompt verbatim. */
export const claudeKind: StepKind = {
  key: "claude",
  weak: false,
  shape: together(
    later({
      claude: () =>
        // Most prompts are a text alone.
        z.union([is.text, z.lazy(body)], { error: "a text that is not empty, or {prompt, ...}" }),
    }),
    stepOptions,
  ),
  read: (entries) => ({
    kind: "claude",
    form: "claude",
    prompt: promptOf(entries),
    args: [],
    options: readClaudeOptions(entriesOf(entries.get("claude")?.value)),
    continues: continuedOf(entriesOf(entries.get("claude")?.value)),
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
  shape: together(
    stepOptions,
    later({
      name: () =>
        is.text.regex(/^\s*\/?[^\s/]\S*\s*$/, {
          error: "one word, a Claude command, in a step without `claude` or `shell`",
        }),
      args: () => z.array(is.scalar(), { error: "a list of texts" }).optional(),
    }),
  ),
  read: (entries) => ({
    kind: "claude",
    form: "name",
    prompt: withSlash(requiredText(entries, "name")),
    args: listOfTexts(entries, "args") ?? [],
    options: {},
    continues: null,
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
