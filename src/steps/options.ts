import * as z from "zod";
import * as is from "./schema.ts";
import { later, once, only } from "./shape.ts";

const freshness = later({
  max_cache_age: () => is.duration({ zero: true }).optional(),
  force_refresh: () => is.bool.optional(),
});

/** `analyze:` of a step (spec 2.7). */
export const analyzeSchema = once(() =>
  z.strictObject(
    {
      ...freshness,
      save: is.bool.optional(),
      format: z.enum(["summary", "json"], { error: "`summary` or `json`" }).optional(),
    },
    { error: "a mapping, as in {max_cache_age: 5m}" },
  ),
);

/** `analysis:` beside a step: no `save` or `format`, it always saves and is no step's output. */
const analysisSchema = once(() =>
  z.strictObject(freshness, { error: "a mapping, as in {max_cache_age: 5m}" }),
);

const retryCause = once(() =>
  z.union(
    [
      z.enum(["transient", "timeout"]),
      z.strictObject({ exit_code: z.union([is.exitCode(), z.array(is.exitCode()).min(1)]) }),
      z.strictObject({ pattern: is.pattern() }),
    ],
    { error: '`transient`, `timeout`, {exit_code: [75]} or {pattern: "..."}' },
  ),
);

/** `retry:` of a step (spec 2.4). */
const retrySchema = once(() =>
  z.strictObject(
    {
      attempts: is.wholeNumber(1, 1000).optional(),
      max_attempts: is.wholeNumber(1, 1000).optional(),
      backoff: z
        .enum(["fixed", "linear", "exponential"], { error: "one of fixed linear exponential" })
        .optional(),
      initial_delay: is.duration({ zero: true }).optional(),
      max_delay: is.duration({ zero: true }).optional(),
      jitter: is.bool.optional(),
      retry_on: z
        .array(retryCause(), { error: "a list, as in [timeout, {exit_code: [75]}]" })
        .min(1, { error: "at least one cause" })
        .optional(),
    },
    { error: "a mapping, as in {attempts: 3, backoff: exponential}" },
  ),
);

/** What every kind of step may carry (spec 2.2). */
export const stepOptions = later({
  id: () => is.identifier().optional(),
  name: () => is.text.optional(),
  condition: () =>
    z
      .union([is.text, z.boolean()], { error: "a text that is a condition, true or false" })
      .optional(),
  env: () => is.env().optional(),
  secrets: () => is.texts().optional(),
  working_dir: () => is.text.optional(),
  timeout: () => is.duration({ zero: false }).optional(),
  retry: () => retrySchema().optional(),
  on_failure: () => is.form("handler").optional(),
  on_success: () => is.form("steps").optional(),
  on_exit_code: () => is.form("exit-codes").optional(),
  continue_on_error: () => is.bool.optional(),
  commit_required: () => is.bool.optional(),
  commit_message: () => is.text.optional(),
  auto_commit: () =>
    z
      .union([z.boolean(), z.enum(["on", "off", "all"])], { error: "true, false or `all`" })
      .optional(),
  outputs: () => is.form("outputs").optional(),
  validation: () => is.form("validation").optional(),
  capture_output: () =>
    z
      .union([z.boolean(), is.identifier()], { error: "true, false or a name for the output" })
      .optional(),
  analysis: () =>
    z
      .union([z.boolean(), analysisSchema()], { error: "a mapping, as in {max_cache_age: 5m}" })
      .optional(),
});

/** `defaults:`: any step option but those that belong to one step alone. */
export const defaultsShape = only(stepOptions, (key) => key !== "id" && key !== "name");

const { text, bool } = is;

/** Keys beside or instead of the steps of a handler (spec 2.3). */
export const handlerKeys = later({
  max_attempts: () => is.wholeNumber(1, 1000).optional(),
  fail_workflow: () => bool.optional(),
});

/** `outputs: {name: {file_pattern: ...}}` (spec 3.3). */
export const fileRule = later({
  file_pattern: () => text,
  all: () => bool.optional(),
  default: () => z.unknown().optional(),
});

const CAPTURES = ["text", "lines", "json", "number", "boolean", "count"] as const;
const SOURCES = ["stdout", "stderr", "both"] as const;

/** `outputs: {name: {capture: ...}}` (spec 3.3). */
export const captureRule = later({
  capture: () => z.enum(CAPTURES, { error: `one of ${CAPTURES.join(" ")}` }),
  path: () => text.optional(),
  pattern: () => text.optional(),
  from: () => z.enum(SOURCES, { error: `one of ${SOURCES.join(" ")}` }).optional(),
  default: () => z.unknown().optional(),
});
