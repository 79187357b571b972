import { describe, expect, test } from "vitest";
import { compileShellText } from "../../../src/values/shell/compile.ts";
import { renderShellText, type Resolved } from "../../../src/values/shell/render.ts";
import type { Value } from "../../../src/values/value.ts";

/** Plain names are the user's own words, dotted ones came out of a step. */
function render(template: string, values: Record<string, Value>, file?: string) {
  const { text, problems } = compileShellText(template, (name) => name in values);
  if (text === null) throw new Error(problems.map((each) => each.message).join("; "));
  return renderShellText(text, ({ name }): Resolved => {
    const resolved = { value: values[name] ?? null, foreign: name.includes(".") };
    return file === undefined ? resolved : { ...resolved, file };
  });
}

function rendered(template: string, values: Record<string, Value>, file?: string) {
  const result = render(template, values, file);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe("values (3.2)", () => {
  test("are in the environment and not in the script", () => {
    const result = rendered("recv ${x} ${a.b} ${x}", { x: "$(id)", "a.b": 7 });

    expect(result).toEqual({
      script: 'recv "${__MMM_1}" "${__MMM_2}" "${__MMM_1}"',
      env: { __MMM_1: "$(id)", __MMM_2: "7" },
      files: [],
      warnings: [],
      scriptTooLong: false,
    });
  });

  test("that are null or empty give an empty word, or the fallback", () => {
    const { script, env } = rendered("recv ${a.b} ${a.b:-two words} ${x:-} ${y:-no}", {
      "a.b": null,
      x: "",
      y: "V",
    });

    expect(script).toBe('recv "${__MMM_1}" "${__MMM_2}" "${__MMM_1}" "${__MMM_3}"');
    expect(env).toEqual({ __MMM_1: "", __MMM_2: "two words", __MMM_3: "V" });
  });

  test("that are lists become words only where words can stand", () => {
    const l = ["a", { k: 1 }, "b c"];

    expect(rendered("recv ${l}", { l }).env).toEqual({
      __MMM_1: "a",
      __MMM_2: '{"k":1}',
      __MMM_3: "b c",
    });
    expect(rendered('recv "${l}"', { l }).env).toEqual({ __MMM_1: 'a {"k":1} b c' });
    expect(rendered("recv ${l} b", { l: [] }).script).toBe("recv  b");
    expect(rendered("recv ${l:-none}", { l: [] }).env).toEqual({ __MMM_1: "none" });
  });

  test.each([
    ["5", "5"],
    ["-5", "-5"],
    ["+007", "7"],
    ["000", "0"],
    [12, "12"],
  ])("that are the whole number %j may stand in arithmetic", (n, carried) => {
    const { script, env } = rendered("recv $((1-${n}))", { n });

    expect(script).toBe("recv $((1-(${__MMM_1})))");
    expect(env).toEqual({ __MMM_1: carried });
  });

  test.each(["", "1.5", "0x1", "a[$(id)]", "1 ", "1234567890123456789", null])(
    "such as %j may not",
    (n) => {
      expect(render("recv $((1-${n}))", { n })).toMatchObject({
        ok: false,
        error: { code: "arith", start: 10, end: 14 },
      });
    },
  );

  test.each([
    ["recv a${l}", 6],
    ["recv x >${l}", 8],
    ["case a in ${l}) ;; esac", 10],
  ])("that are lists are refused in %s", (template, start) => {
    expect(render(template, { l: ["a"] })).toMatchObject({
      ok: false,
      error: { code: "list-part", start, end: start + 4 },
    });
  });

  test("that are lists of very many words are refused", () => {
    const l = Array.from({ length: 5_001 }, String);

    expect(render("recv ${l}", { l })).toMatchObject({ ok: false, error: { code: "list-long" } });
  });

  test.each(["recv ${x}", "recv ${x|raw}", "recv ${x|file}", 'sh -c "recv ${x|quote}"'])(
    "with a NUL are refused in %s",
    (template) => {
      expect(render(template, { x: "a\0b" })).toMatchObject({ ok: false, error: { code: "nul" } });
    },
  );
});

describe("values that look like options (3.2)", () => {
  test.each([
    "git ${a.b}",
    'git "${a.b}"',
    "git '${a.b}'",
    "git log ${a.b}x",
    "env git ${a.b}",
    'ssh h "rm ${a.b|quote}"',
    "git ${a.b|opt}",
  ])("are refused when they came out of a step: %s", (template) => {
    expect(render(template, { "a.b": "-rf" })).toMatchObject({
      ok: false,
      error: { code: "option" },
    });
    expect(render(template, { "a.b": "rf" })).toMatchObject({ ok: true, value: { warnings: [] } });
  });

  test("are refused as an item of a list", () => {
    expect(render("git ${a.b}", { "a.b": ["x", "--y"] })).toMatchObject({
      ok: false,
      error: { code: "option" },
    });
  });

  test.each([
    ["git ${x}", "-rf"],
    ["rm -f ${a.b}", "-rf"],
  ])("earn a warning as own words or after an option: %s", (template, value) => {
    expect(rendered(template, { x: value, "a.b": value }).warnings).toHaveLength(1);
  });

  test.each([
    "git -- ${a.b}",
    "printf '%s' ${a.b}",
    "[ ${a.b} = a ]",
    "Y=${a.b} recv",
    "recv a${a.b}",
    "recv <${a.b}",
    "for i in ${a.b}; do :; done",
    "git ${a.b|file}",
  ])("are fine in %s", (template) => {
    expect(rendered(template, { "a.b": "-rf" }).warnings).toEqual([]);
  });

  test.each(["- item", "---\ntitle", "-", "a-b"])("are not texts such as %j", (value) => {
    expect(rendered("git ${a.b}", { "a.b": value }).warnings).toEqual([]);
  });
});

describe("transport (3.2, 11)", () => {
  const big = "é".repeat(50_001);

  test("is by file over 100 000 bytes, on the line of the command", () => {
    const { script, env, files } = rendered("recv ${x}\nrecv", { x: big });

    expect(script).toBe(
      '__MMM_1=$(cat -- "$__MMM_F1" && printf .) || exit 125; __MMM_1=${__MMM_1%.}; unset __MMM_F1; recv "${__MMM_1}"\nrecv',
    );
    expect(env).toEqual({});
    expect(files).toEqual([{ variable: "__MMM_F1", content: big }]);
  });

  test("uses the file that holds the value already", () => {
    expect(rendered("recv ${x}", { x: big }, "/o/1")).toMatchObject({
      env: { __MMM_F1: "/o/1" },
      files: [],
    });
    expect(rendered("recv ${x|file}", { x: "a" }, "/o/1")).toMatchObject({
      env: { __MMM_1: "/o/1" },
      files: [],
    });
    expect(rendered("recv ${x:-b}", { x: "" }, "/o/1")).toMatchObject({ env: { __MMM_1: "b" } });
  });

  test("is by file once the values together pass 256 KB", () => {
    const values = { a: "a".repeat(99_000), b: "b".repeat(99_000), c: "c".repeat(99_000), d: "d" };

    const { env, files } = rendered("recv ${a} ${b} ${c} ${d}", values);

    expect(Object.keys(env)).toEqual(["__MMM_1", "__MMM_2", "__MMM_4"]);
    expect(files.map((file) => file.variable)).toEqual(["__MMM_F3"]);
  });

  test("of 10 000 references is one pass", () => {
    const { script, env } = rendered("recv ${x}\n".repeat(10_000), { x: "V" });

    expect(script).toHaveLength(18 * 10_000);
    expect(Object.keys(env)).toHaveLength(1);
  });
});

describe("|raw (3.2)", () => {
  test("inserts the text as it is and reads the rest with it", () => {
    const { script } = rendered("recv ${q|raw}${x}${q|raw} ${x}", { q: '"', x: "V" });

    expect(script).toBe('recv "${__MMM_1}" "${__MMM_1}"');
  });

  test("is not scanned for references", () => {
    const { script, env } = rendered("recv ${q|raw} ${x}", {
      q: "${x} $ARG ${a.b}",
      x: "V",
      ARG: "W",
    });

    expect(script).toBe('recv ${x} $ARG ${a.b} "${__MMM_1}"');
    expect(env).toEqual({ __MMM_1: "V" });
  });

  test("goes to the shell unread when nothing else has to be quoted", () => {
    expect(rendered("${q|raw}", { q: "if 'x" }).script).toBe("if 'x");
  });

  test.each([
    ["'", "unterminated"],
    ["#", "raw-shift"],
    ["sh -c '", "unterminated"],
    ["eval", "code"],
    ["\\", "raw-shift"],
  ])("that makes the rest unreadable or unsafe is refused: %s", (q, code) => {
    const template = q === "\\" ? "recv ${q|raw}${x}" : "${q|raw} ${x}";

    expect(render(template, { q, x: "V" })).toMatchObject({ ok: false, error: { code } });
  });

  test("says when the script became too long for an argument", () => {
    expect(rendered("${q|raw}", { q: `: ${"a".repeat(100_000)}` }).scriptTooLong).toBe(true);
  });
});
