/** `secrets:` of the header (spec 2.1). */
import * as z from "zod";
import { formed, text } from "../steps/schema.ts";
import { once } from "../steps/shape.ts";
import type { SecretDeclaration } from "./model.ts";
import type { Problems } from "./problems.ts";
import type { Entries } from "./tree.ts";
import { entriesOf, requiredText } from "./values-of.ts";

const FORM = "{env: VARIABLE} or {file: PATH}";
const NAME = /^[A-Za-z_]\w*$/;
const variable = once(() =>
  z.string({ error: "a variable's name" }).regex(NAME, { error: "a variable's name" }),
);

const source = once(() =>
  z
    .strictObject({ env: variable().optional(), file: text.optional() }, { error: FORM })
    .refine(({ env, file }) => (env === undefined) !== (file === undefined), { error: FORM })
    .meta(formed("secret-source")),
);

export const secretsSchema = once(() =>
  z.record(
    z.string().regex(NAME, { error: "letters, digits and `_`, as in API_TOKEN" }),
    source(),
    { error: "a mapping, as in {API_TOKEN: {env: API_TOKEN}}" },
  ),
);

/** Entries have passed {@link secretsSchema}; `env` may not name a secret too. */
export function readSecrets(header: Entries, problems: Problems): readonly SecretDeclaration[] {
  const entries = entriesOf(header.get("secrets")?.value);
  for (const [name, { key }] of entriesOf(header.get("env")?.value)) {
    const secret = entries.get(name);
    if (secret === undefined) continue;
    problems.error("secret-in-env", key.range, `\`${name}\` is a secret, and set under \`env\``, {
      help: "take one of them away",
      related: { message: "the secret is here", range: secret.key.range },
    });
  }
  return [...entries].map(([name, { key, value }]) => {
    const inside = entriesOf(value);
    const kind = inside.has("env") ? "env" : "file";
    return { name, from: { kind, name: requiredText(inside, kind).value }, range: key.range };
  });
}
