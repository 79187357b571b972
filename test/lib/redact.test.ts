import { array, assert, constantFrom, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor, MASK, noRedactor } from "../../src/lib/redact.ts";

const PEM = [
  "-----BEGIN PRIVATE KEY-----",
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDF/+ab",
  "q1w2e3r4t5z6u7i8o9p0asdfghjklyxcvbnm",
  "-----END PRIVATE KEY-----",
].join("\n");
const LONG = Array.from({ length: 4096 }, (_, at) => "aB3$x/9+"[(at * 7) % 8]).join("");

/** Shapes that a careless mask misses. */
const AWKWARD: Readonly<Record<string, string>> = {
  plain: "hunter2hunter2",
  spaces: "correct horse  battery",
  quotes: `it's a "secret"`,
  unicode: "pässwörd-日本-🔑",
  regex: "a.*(b|c)[d]{2}^$",
  dollar: "$HOME$(id)`id`",
  percent: "100%41%zz+%2F",
  slashes: "http://u:p@h/a?b=c&d#e",
  backslashes: "C:\\dir\\new\\",
  pem: PEM,
  crlf: PEM.replaceAll("\n", "\r\n"),
  long: LONG,
  tabs: "one\ttwo\tthree",
};

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const formEncoded = (text: string): string => new URLSearchParams({ a: text }).toString().slice(2);
const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** How programs print what they were given. */
const FORMS: Readonly<Record<string, (secret: string) => string>> = {
  "as it is": (text) => text,
  json: (text) => JSON.stringify(text).slice(1, -1),
  "json in json": (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  "ascii json": (text) => asciiJson(text).slice(1, -1),
  base64,
  "base64 without padding": (text) => base64(text).replace(/=+$/, ""),
  "url-safe base64": (text) => Buffer.from(text).toString("base64url"),
  "folded base64": (text) => base64(text).replace(/.{76}/g, "$&\n"),
  "folded base64 in json": (text) =>
    JSON.stringify(base64(text).replace(/.{64}/g, "$&\r\n")).slice(1, -1),
  "url-encoded": (text) => encodeURIComponent(text),
  "url-encoded in lower case": (text) =>
    encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  "a form": formEncoded,
  "every byte encoded": (text) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  "url-encoded base64": (text) => encodeURIComponent(base64(text)),
};

const masked = (secret: string, text: string): string => createRedactor([secret]).text(text);

describe.each(Object.entries(AWKWARD))("a secret with %s is masked (spec 3.2)", (_, secret) => {
  test.each(Object.entries(FORMS))("%s", (_form, form) => {
    const shown = masked(secret, `before ${form(secret)} after`);

    expect(shown).toBe(`before ${MASK} after`);
  });

  test.each([0, 1, 2, 3, 4, 5])("in base64 of a text, %i bytes after its start", (offset) => {
    const text = base64(`${"x".repeat(offset)}${secret}yyyy`);
    const shown = masked(secret, text);

    // What is left holds the neighbours, and of the secret at most a few bits at each border.
    expect(shown).toContain(MASK);
    expect(shown.replace(MASK, "").length).toBeLessThanOrEqual(Math.ceil((offset * 4) / 3) + 12);
    expect(masked(secret, text.replaceAll("+", "-").replaceAll("/", "_"))).toContain(MASK);
  });

  test("cut at every place", () => {
    const bytes = Buffer.from(`<${secret}|${JSON.stringify(secret)}|${base64(secret)}>`);
    const redactor = createRedactor([secret]);
    const step = Math.max(1, Math.floor(bytes.length / 60));
    for (let at = 0; at <= bytes.length; at += step) {
      const stream = redactor.stream();
      const parts = [bytes.subarray(0, at), bytes.subarray(at)].map((part) => stream.push(part));
      const text = Buffer.concat([...parts, stream.end()]).toString();
      expect(text).toBe(`<${MASK}|"${MASK}"|${MASK}>`);
    }
  });
});

test("each line of a secret with several is masked alone", () => {
  const [, second = "", third = ""] = PEM.split("\n");

  expect(masked(PEM, `x ${third} y ${second}`)).toBe(`x ${MASK} y ${MASK}`);
  expect(masked("  key: abcdef\n  more: ghijkl", "more: ghijkl")).toBe(MASK);
});

test("a secret inside of another, and two that overlap, leave nothing of either", () => {
  const redactor = createRedactor(["secret", "my-secret-key", "key-and-door"]);

  expect(redactor.text("a secret my-secret-key b")).toBe(`a ${MASK} ${MASK} b`);
  expect(redactor.text("my-secret-key-and-door")).toBe(MASK);
});

test("what only begins like a secret is told in the end, unchanged", () => {
  const stream = createRedactor(["abcdefgh"]).stream();

  expect(Buffer.from(stream.push(Buffer.from("x abcdef"))).toString()).toBe("x ");
  expect(Buffer.from(stream.end()).toString()).toBe("abcdef");
  expect(stream.masked).toBe(false);
});

test("a text without a secret comes back as it is, lone surrogates and strange bytes included", () => {
  const redactor = createRedactor(["abcdefgh"]);
  const bytes = Buffer.from([0xff, 0x00, 0xc3, 0x28, 0x25, 0x5c, 0x0a, 0x25, 0x34]);
  const stream = redactor.stream();

  expect(redactor.text("a \ud800 b")).toBe("a \ud800 b");
  expect(Buffer.concat([stream.push(bytes), stream.end()])).toEqual(bytes);
});

test("values are masked in all their texts, and nothing but texts changes", () => {
  const redactor = createRedactor(["abcdefgh"]);
  const value = { n: 1, no: null, list: ["x", { abcdefgh: "say abcdefgh" }], yes: true };

  expect(redactor.value(value)).toEqual({
    n: 1,
    no: null,
    list: ["x", { [MASK]: `say ${MASK}` }],
    yes: true,
  });
});

test("without secrets nothing is copied", () => {
  const chunk = Buffer.from("abc");

  expect(createRedactor([])).toBe(noRedactor);
  expect(noRedactor.stream().push(chunk)).toBe(chunk);
});

test("what is held back is bounded, whatever comes", () => {
  const stream = createRedactor([LONG, "aaaaaaaaab"]).stream();
  let told = 0;
  let sent = 0;
  for (const piece of ["a".repeat(65_536), "\n".repeat(65_536), LONG.slice(0, -1), "%".repeat(9)]) {
    sent += piece.length;
    told += stream.push(Buffer.from(piece)).length;
    expect(sent - told).toBeLessThan(2 * LONG.length);
  }
});

test("pieces of any size give what the whole gives", () => {
  const alphabet = constantFrom("a", "b", "ab", "%61", "\\n", "\n", "YWJ", "iYQ", "==", "-", "x");
  const text = array(alphabet, { maxLength: 60 }).map((parts) => parts.join(""));
  const secret = array(constantFrom("a", "b", "\n", "%", "+"), { minLength: 4, maxLength: 8 }).map(
    (parts) => parts.join(""),
  );
  assert(
    property(
      array(secret, { minLength: 1, maxLength: 3 }),
      text,
      array(nat(20)),
      (secrets, whole, sizes) => {
        const redactor = createRedactor(secrets);
        const bytes = Buffer.from(whole);
        const stream = redactor.stream();
        const parts: Uint8Array[] = [];
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          parts.push(stream.push(bytes.subarray(at, at + size)));
          at += size;
        }
        const told = Buffer.concat([...parts, stream.end()]).toString();
        expect(told).toBe(redactor.text(whole));
        for (const one of secrets) expect(told).not.toContain(one);
      },
    ),
  );
});
