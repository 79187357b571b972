/** Texts of a plan with the values that are known before anything runs; a mark such as `<review.output>` for the others. */
import type { Reference } from "../values/reference.ts";
import type { ShellText } from "../values/shell/compile.ts";
import type { TextTemplate } from "../values/text.ts";
import { isList, textOf, type Value } from "../values/value.ts";
import type { PlannedStep } from "./plan-model.ts";

/** What is known of one session before it begins. */
export interface KnownValues {
  /** By capital-letter name; one that is absent is not known yet. */
  readonly variables: ReadonlyMap<string, Value>;
  readonly params: ReadonlyMap<string, Value>;
  /** Variables of the environment; `null`: not set. */
  readonly environment: (name: string) => string | null;
  /** `project.x`; `null`: nobody has looked. */
  readonly project: Readonly<Record<string, string | null>> | null;
  /** Their values are never shown: secrets, and variables that sound like one. */
  readonly isSecret: (name: string) => boolean;
}

/** A text as far as it is known. */
export interface KnownText {
  readonly text: string;
  /** References that have no value yet, each once. */
  readonly open: readonly string[];
}

const SECRET = "***";
/** More of one value would hide the text around it. */
const VALUE_UNITS = 400;

/** Renders the texts of one step. */
export class KnownTexts {
  readonly #values: KnownValues;
  /** `env:` of the header and the step: a value that is not known yet is `undefined`. */
  readonly #declared = new Map<string, KnownText>();

  constructor(values: KnownValues) {
    this.#values = values;
  }

  /** What `env:` declares, in this order: a later one sees the earlier ones. */
  declare(
    env: PlannedStep["env"],
  ): readonly { readonly name: string; readonly value: KnownText }[] {
    return env.map(({ name, value }) => {
      const known = this.text(value);
      const shown = this.#values.isSecret(name) ? { text: SECRET, open: known.open } : known;
      this.#declared.set(name, shown);
      return { name, value: shown };
    });
  }

  text({ parts }: TextTemplate): KnownText {
    return this.#join(parts);
  }

  /** Never a text to run: values stand in it without quotes. */
  shell({ source, references }: ShellText): KnownText {
    const parts: (string | Reference)[] = [];
    let at = 0;
    for (const reference of references) {
      parts.push(source.slice(at, reference.start), reference);
      at = reference.end;
    }
    return this.#join([...parts, source.slice(at)]);
  }

  #join(parts: readonly (string | Reference)[]): KnownText {
    const open = new Set<string>();
    let text = "";
    for (const part of parts) {
      if (typeof part === "string") {
        text += part;
        continue;
      }
      const known = this.#value(part);
      for (const name of known.open) open.add(name);
      text += known.text;
    }
    return { text, open: [...open] };
  }

  #value(reference: Reference): KnownText {
    const [head, field, ...deeper] = reference.path;
    const { variables, params, environment, project, isSecret } = this.#values;
    if (head === "params" && typeof field === "string" && params.has(field))
      return shown(reference, dig(params.get(field) ?? null, deeper));
    if (head === "env" && typeof field === "string") {
      if (isSecret(field)) return { text: SECRET, open: [] };
      const declared = this.#declared.get(field);
      if (declared === undefined) return shown(reference, environment(field));
      return declared.open.length > 0 ? declared : shown(reference, declared.text);
    }
    if (head === "project" && typeof field === "string" && project !== null)
      return shown(reference, project[field] ?? null);
    const variable = typeof head === "string" ? variables.get(head) : undefined;
    if (variable !== undefined && field === undefined) return shown(reference, variable);
    return { text: `<${reference.name}>`, open: [reference.name] };
  }
}

function shown({ fallback }: Reference, value: Value): KnownText {
  const own = textOf(value);
  const text = own === "" && fallback !== null ? fallback : own;
  const cut = text.length > VALUE_UNITS ? `${text.slice(0, VALUE_UNITS)}…` : text;
  return { text: cut, open: [] };
}

function dig(value: Value, path: readonly (string | number)[]): Value {
  let found = value;
  for (const key of path)
    found = typeof key === "number" && isList(found) ? (found[key] ?? null) : null;
  return found;
}
