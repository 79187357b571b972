/** The forms in which the value of a secret turns up: as it is, escaped for JSON and shells, in base64, in URLs. */

/** By how a text is read when they are looked for; see `redact-view.ts`. */
export interface SecretForms {
  readonly plain: readonly Uint8Array[];
  /** `-` and `_` of the URL-safe alphabet as `+` and `/`. */
  readonly base64: readonly Uint8Array[];
  /** After `%41` has become `A`, and `+` a space. */
  readonly percent: readonly Uint8Array[];
}

/** A shorter value or line would mask what has nothing to do with it. */
export const MIN_SECRET_BYTES = 4;

const encoder = new TextEncoder();

export function secretForms(values: readonly string[]): SecretForms {
  const plain = new Set<string>();
  const base64 = new Set<string>();
  const percent = new Set<string>();
  for (const value of values) {
    for (const text of [value, ...linesOf(value)]) {
      for (const form of [text, ...jsonForms(text), ...shellForms(text)]) plain.add(form);
      percent.add(text.replaceAll("+", " "));
    }
    for (const form of base64Forms(value)) {
      base64.add(form);
      percent.add(form.replaceAll("+", " "));
    }
  }
  return { plain: bytesOf(plain), base64: bytesOf(base64), percent: bytesOf(percent) };
}

function bytesOf(texts: ReadonlySet<string>): readonly Uint8Array[] {
  return [...texts]
    .map((text) => encoder.encode(text))
    .filter(({ length }) => length >= MIN_SECRET_BYTES);
}

/** Of a value with several: each alone, without the white space around it. */
function linesOf(value: string): readonly string[] {
  return /[\r\n]/.test(value) ? value.split(/[\r\n]+/).map((line) => line.trim()) : [];
}

/** In JSON, in JSON inside of JSON, and as writers do it that keep to ASCII or escape slashes. */
function jsonForms(text: string): readonly string[] {
  const once = escaped(text);
  const ascii = once.replace(/[\u0080-\uffff]/g, (unit) => escapedUnit(unit));
  const upper = once.replace(/[\u0080-\uffff]/g, (unit) => escapedUnit(unit.toUpperCase(), true));
  return [once, ascii, upper, escaped(once), once.replaceAll("/", "\\/")];
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escapedUnit(unit: string, isUpper = false): string {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${isUpper ? hex.toUpperCase() : hex}`;
}

/** As `set -x`, `export -p` and `printf %q` write it. */
function shellForms(text: string): readonly string[] {
  return [
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", "'\"'\"'"),
    text.replace(/["$`\\]/g, "\\$&"),
    text.replace(/[^\w@%+=:,./-]/g, (letter) => (letter === "\n" ? letter : `\\${letter}`)),
  ];
}

/** Alone, with and without padding, and what is certain of it in the middle of other bytes. */
function base64Forms(value: string): readonly string[] {
  const bytes = encoder.encode(value);
  const whole = encode(bytes);
  const forms = [whole, whole.replace(/=+$/, "")];
  for (const offset of [0, 1, 2]) {
    const shifted = new Uint8Array(offset + bytes.length);
    shifted.set(bytes, offset);
    // A digit stands for six bits; one that also holds bits of a neighbour differs from text to text.
    const first = Math.ceil((8 * offset) / 6);
    const last = Math.floor((8 * shifted.length) / 6);
    forms.push(encode(shifted).slice(first, last));
  }
  return forms;
}

function encode(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
