/** `***` in the place of secrets, in whatever leaves mmm (spec 3.2). */
import { Matcher } from "./matcher.ts";
import { Base64View, PercentView, PlainView, type Span, type View } from "./redact-view.ts";
import { secretForms } from "./secret-forms.ts";

/** What stands for a secret. */
export const MASK = "***";

export interface Redactor {
  /** `false`: there are no secrets, and everything comes back as it is. */
  readonly isActive: boolean;
  text(text: string): string;
  /** All texts in a plain value, the names of its fields included; `type` stays as it is. */
  value<T>(value: T): T;
  /** For bytes that come in pieces; a secret may lie across their borders. */
  stream(): RedactStream;
}

export interface RedactStream {
  /** What can be told by now; the rest comes with later pieces, never more than the longest form of a secret. */
  push(chunk: Uint8Array): Uint8Array;
  /** The stream is over: what was held back. */
  end(): Uint8Array;
  /** Has something been masked? */
  readonly masked: boolean;
}

const NOTHING = new Uint8Array();

/** For a run without secrets; costs nothing. */
export const noRedactor: Redactor = {
  isActive: false,
  text: (text) => text,
  value: (value) => value,
  stream: () => ({ push: (chunk) => chunk, end: () => NOTHING, masked: false }),
};

/** @param values of the secrets, each of at least four bytes. */
export function createRedactor(values: readonly string[]): Redactor {
  if (values.length === 0) return noRedactor;
  const forms = secretForms(values);
  const matchers: Matchers = {
    plain: new Matcher(forms.plain),
    base64: new Matcher(forms.base64),
    percent: new Matcher(forms.percent),
  };
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const text = (whole: string): string => {
    const bytes = encoder.encode(whole);
    const stream = new Stream(matchers, bytes.length);
    const parts = [stream.push(bytes), stream.end()];
    // As it was, lone surrogates and all.
    return stream.masked ? parts.map((part) => decoder.decode(part)).join("") : whole;
  };
  return {
    isActive: true,
    text,
    value: (value) => mapTexts(value, text),
    stream: () => new Stream(matchers),
  };
}

interface Matchers {
  readonly plain: Matcher;
  readonly base64: Matcher;
  readonly percent: Matcher;
}

class Stream implements RedactStream {
  readonly #views: readonly View[];
  /** Found and not written yet. */
  #spans: Span[] = [];
  /** Read and not written yet; begins at `#base`. */
  #held: Uint8Array = NOTHING;
  #base = 0;
  /** What lies before this is masked already. */
  #maskedTo = -1;
  masked = false;

  constructor({ plain, base64, percent }: Matchers, length = Infinity) {
    const found = (span: Span): void => {
      this.#spans.push(span);
    };
    this.#views = [
      new PlainView({ matcher: plain, found, length }),
      new Base64View({ matcher: base64, found, length }),
      new PercentView({ matcher: percent, found, length }),
    ];
  }

  push(chunk: Uint8Array): Uint8Array {
    const at = this.#base + this.#held.length;
    let safe = at + chunk.length;
    for (const view of this.#views) {
      for (let index = 0; index < chunk.length; index += 1)
        view.push(chunk[index] ?? 0, at + index);
      safe = Math.min(safe, view.pendingFrom());
    }
    return this.#write(joined([this.#held, chunk]), safe);
  }

  end(): Uint8Array {
    return this.#write(this.#held, this.#base + this.#held.length);
  }

  /** Everything before `safe`; no secret that is still to be found begins there. */
  #write(bytes: Uint8Array, safe: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let at = Math.max(this.#base, this.#maskedTo);
    const spans = this.#spans.toSorted((a, b) => a.start - b.start);
    this.#spans = spans.filter(({ start }) => start >= safe);
    for (const { start, end } of spans) {
      if (start >= safe) break;
      if (start > this.#maskedTo) {
        parts.push(bytes.subarray(at - this.#base, start - this.#base), STARS);
        this.masked = true;
      }
      this.#maskedTo = Math.max(this.#maskedTo, end);
      at = Math.max(at, end);
    }
    if (at < safe) parts.push(bytes.subarray(at - this.#base, safe - this.#base));
    // Copied: a piece of a pooled chunk would keep the whole chunk alive.
    this.#held = bytes.slice(safe - this.#base);
    this.#base = safe;
    return joined(parts);
  }
}

const STARS = new TextEncoder().encode(MASK);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first = NOTHING, ...more] = parts.filter(({ length }) => length > 0);
  if (more.length === 0) return first;
  const length = more.reduce((sum, part) => sum + part.length, first.length);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of [first, ...more]) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function mapTexts<T>(value: T, text: (text: string) => string): T;
function mapTexts(value: unknown, text: (text: string) => string): unknown {
  if (typeof value === "string") return text(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item as unknown, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inside]) =>
      // The kind of an event is a word of the program's own, whatever a secret may be called.
      key === "type" && typeof inside === "string"
        ? [key, inside]
        : [text(key), mapTexts(inside as unknown, text)],
    ),
  );
}
