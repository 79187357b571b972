/**
 * The building blocks of step schemas. Each `error` is the end of "must be ..., not ...": the reader
 * writes the rest, with place and value.
 */
import * as z from "zod";
import { parseDuration } from "../lib/duration.ts";
import { compilePattern } from "../lib/pattern.ts";
import { once } from "./shape.ts";

// Code made for each schema pays for itself after hundreds of objects (decision 0028).
z.config({ jitless: true });

/** Node's timers overflow past 2^31 ms and fire at once; 24 days is the last whole day below. */
export const MAX_DURATION_MS = 24 * 86_400_000;

export const text = z.string({ error: "a text" }).min(1, { error: "a text that is not empty" });
export const anyText = z.string({ error: "a text" });
export const bool = z.boolean({ error: "true or false" });

/** Numbers and booleans are taken as they are written. */
export const scalar = once(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null()], {
    error: "a text, a number, true or false",
  }),
);

export const wholeNumber = (min: number, max: number): z.ZodNumber => {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

/** `zero`: 0 means something (a cache age), not "end at once". */
export const duration = ({ zero }: { readonly zero: boolean }) => {
  const error = "a number of seconds, or ms s m h d as in 90s, 1h30m";
  return z
    .union([z.number({ error }), z.string({ error })], { error })
    .superRefine((value, ctx) => {
      const ms = parseDuration(value);
      if (ms === null) ctx.addIssue({ code: "custom", message: error });
      else if (ms === 0 && !zero) ctx.addIssue({ code: "custom", message: "longer than 0" });
      else if (ms > MAX_DURATION_MS) ctx.addIssue({ code: "custom", message: "at most 24d" });
    })
    .meta(formed(zero ? "duration-or-0" : "duration"));
};

/** Names that references start with (spec 3.1). */
export const identifier = once(() =>
  z
    .string({ error: "a name" })
    .max(100, { error: "a name of at most 100 characters" })
    .regex(/^[A-Za-z_]\w*(?:-\w+)*$/, {
      error: "a name of letters, digits, `_` and `-` that starts with a letter",
    }),
);

export const texts = once(() =>
  z.union([text, z.array(text, { error: "a list of texts" })], {
    error: "a text or a list of texts",
  }),
);

export const env = once(() =>
  z.record(
    z.string().regex(/^[A-Za-z_]\w*$/, { error: "letters, digits and `_`, as in API_URL" }),
    scalar(),
    { error: "a mapping, as in {CI: 1}" },
  ),
);

/** Of a failed child; 0 is no failure. */
export const exitCode = once(() => wholeNumber(1, 255));

/** A literal, or `/regex/flags` (spec 3.3). */
export const pattern = once(() =>
  text
    .superRefine((value, ctx) => {
      const compiled = compilePattern(value);
      if (!compiled.ok)
        ctx.addIssue({ code: "custom", message: `a literal or /regex/ (${compiled.error})` });
    })
    .meta(formed("pattern")),
);

/** Forms that zod alone does not tell; `playbook/json-schema-forms.ts` has the JSON Schema of each. */
export type FormName =
  | "defaults"
  | "duration"
  | "duration-or-0"
  | "exit-codes"
  | "gates"
  | "handler"
  | "inside"
  | "output-schema"
  | "outputs"
  | "param"
  | "pattern"
  | "secret-source"
  | "step-list"
  | "steps"
  | "tolerance"
  | "validation";

/** Says of a schema that it has a refinement, or is checked by the reader itself. */
export function formed(form: FormName): { readonly form: FormName } {
  return { form };
}

/** Read by hand, in forms of its own. */
export const form = (name: FormName) => z.unknown().meta(formed(name));
