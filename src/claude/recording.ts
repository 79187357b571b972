/** The format of recordings (spec 6.6, docs/recordings.md): JSON Lines, a header and one line a call. */
import * as z from "zod";
import { MmmError } from "../errors.ts";
import { parseJson } from "../lib/json.ts";
import { whyNotInTree } from "./tree-path.ts";

const path = z.string().refine((value) => whyNotInTree(value) === null, {
  error: (issue) => whyNotInTree(String(issue.input)) ?? "",
});

/** One file as it is after the call; exactly one of `content`, `base64`, `delete`. */
const change = z
  .strictObject({
    path,
    content: z.string().optional(),
    /** For what is no UTF-8. */
    base64: z.base64().optional(),
    delete: z.literal(true).optional(),
    /** As git has it: `100755` executable, `120000` a link whose target is the content; else `100644`. */
    mode: z.enum(["100644", "100755", "120000"]).optional(),
  })
  .refine(
    ({ content, base64, delete: gone }) =>
      [content, base64, gone].filter((way) => way !== undefined).length === 1,
    { error: "a change has one of content, base64 and delete" },
  );

const commit = z.strictObject({
  subject: z.string().min(1),
  body: z.string().optional(),
  changes: z.array(change).default([]),
});

const count = z.number().nonnegative();
const modelUsage = z.strictObject({
  costUsd: count.nullable().default(null),
  inputTokens: count.default(0),
  outputTokens: count.default(0),
  cacheReadTokens: count.default(0),
  cacheWriteTokens: count.default(0),
});
const usage = modelUsage.extend({ models: z.record(z.string(), modelUsage).optional() });

const activity = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: z.string() }),
  z.strictObject({ type: z.literal("tool"), name: z.string(), detail: z.string().default("") }),
]);

const entry = z
  .strictObject({
    /** Breaks ties between calls with the same prompt. */
    step: z.string().optional(),
    /** Exact text, with `{root}`, `{session}` and `{uuid}` in the place of what differs from run to run. */
    prompt: z.string().optional(),
    /** For recordings written by hand: `*` is any text. */
    match: z.string().optional(),
    text: z.string().default(""),
    activity: z.array(activity).default([]),
    /** Made in this order, before `changes`. */
    commits: z.array(commit).default([]),
    /** What is left uncommitted. */
    changes: z.array(change).default([]),
    exit: z.int().min(0).max(255).default(0),
    failure: z
      .strictObject({
        code: z.string(),
        message: z.string(),
        transient: z.boolean().default(false),
        retryAfterMs: count.nullable().default(null),
        resetsAt: z.iso.datetime().nullable().default(null),
      })
      .optional(),
    usage: usage.nullable().default(null),
    turns: z.int().nonnegative().nullable().default(null),
    model: z.string().nullable().default(null),
  })
  .refine(({ prompt, match }) => (prompt === undefined) !== (match === undefined), {
    error: "a call has one of prompt and match",
  });

const header = z.strictObject({
  v: z.literal(1),
  kind: z.literal("recording"),
  mmm: z.string().optional(),
});

export type RecordedChange = Readonly<z.infer<typeof change>>;
export type RecordedCommit = Readonly<z.infer<typeof commit>>;
export type RecordedCall = Readonly<z.infer<typeof entry>>;
/** As it is written: what has a default may be left out. */
export type RecordedCallInput = Readonly<z.input<typeof entry>>;

/** @param version of mmm. */
export function recordingHeader(version: string): string {
  return `${JSON.stringify({ v: 1, kind: "recording", mmm: version })}\n`;
}

/** One line; what is empty is left out, so that lines stay readable. */
export function recordingLine(call: RecordedCallInput): string {
  const kept = Object.entries(call).filter(
    ([, value]) =>
      value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0),
  );
  return `${JSON.stringify(Object.fromEntries(kept))}\n`;
}

/**
 * Empty lines are skipped.
 *
 * @param file for messages.
 * @throws MmmError `recording`, exit 2, with the line.
 */
export function parseRecording(text: string, file: string): RecordedCall[] {
  const lines = text
    .split("\n")
    .map((line, index) => ({ line, place: `${file}:${index + 1}` }))
    .filter(({ line }) => line.trim() !== "");
  const [first, ...rest] = lines;
  if (first === undefined) throw broken(`${file}:1`, "the file is empty");
  read(header, first);
  return rest.map((one) => read(entry, one));
}

function read<T>(schema: z.ZodType<T>, { line, place }: { line: string; place: string }): T {
  const value = parseJson(line);
  if (value === undefined) throw broken(place, "this line is no JSON");
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw broken(place, `${where}${issue?.message ?? "wrong"}`);
}

function broken(place: string, message: string): MmmError {
  return new MmmError("recording", 2, {
    message: `${place} ${message}`,
    next: [
      'a recording starts with {"v":1,"kind":"recording"}; its lines are explained in docs/recordings.md',
    ],
  });
}
