import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileShellText } from "../../src/values/shell/compile.ts";
import { type RenderedShell, renderShellText } from "../../src/values/shell/render.ts";
import type { Value } from "../../src/values/value.ts";
import { corpus, type Printed, type Row } from "../values/shell/corpus.ts";

const HOSTILE = [
  `it's "q" \\ \\" \\n`,
  "$(touch CANARY)`touch CANARY`",
  "\ntouch CANARY\n; touch CANARY #",
  "-rf",
  "${ARG} ${x} $HOME",
  "x[$(touch CANARY)]",
  "a[$(touch CANARY)]",
  "two  words\t* ? [a-z] ~",
  "EOF\nA\nB\nE F\n)",
  "'; touch CANARY; '",
  '"; touch CANARY; "',
  "é 漢字 \u{1f600} \u0085",
  "tail\n\n",
  "!",
  "\\",
  "(",
];
const SHELLS = [
  { name: "sh", argv: ["sh"], bash: false },
  { name: "bash", argv: ["bash"], bash: true },
  { name: "bash in POSIX mode", argv: ["bash", "--posix"], bash: true },
] as const;

let home = "";
let bin = "";

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "mmm-shell-"));
  bin = join(home, "bin");
  mkdirSync(bin);
  const recv =
    "#!/bin/sh\nprintf argv\nfor a do printf '\\002%s\\003' \"$a\"; done\nprintf '\\004\\n'\n";
  for (const name of ["recv", "git"]) program(name, recv);
  program("recv2", '#!/bin/sh\nprintf %s "$*"\n');
  program("recv3", "#!/bin/sh\nprintf 7\n");
  program("jq", '#!/bin/sh\n[ "$5" = \'$x\' ] && printf %s "$4"\n');
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

function program(name: string, text: string): void {
  writeFileSync(join(bin, name), text);
  chmodSync(join(bin, name), 0o755);
}

interface Case {
  readonly template: string;
  readonly values: Record<string, Value>;
  readonly argv: readonly string[];
}

function render({ template, values }: Omit<Case, "argv">): RenderedShell | null {
  const { text } = compileShellText(template, (name) => name in values);
  if (text === null) return null;
  const result = renderShellText(text, ({ name }) => ({
    value: values[name] ?? null,
    foreign: false,
  }));
  return result.ok ? result.value : null;
}

/** Runs a rendered text in a folder of its own; what it printed, and whether a value was run. */
async function run(
  rendered: RenderedShell,
  argv: readonly string[],
): Promise<{ stdout: string; canary: boolean }> {
  const cwd = mkdtempSync(join(home, "run-"));
  const env: Record<string, string> = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: cwd,
    LC_ALL: "C.UTF-8",
    ...rendered.env,
  };
  for (const [index, file] of rendered.files.entries()) {
    const path = join(home, `value-${index}`);
    writeFileSync(path, file.content);
    env[file.variable] = path;
  }
  const [command = "sh", ...flags] = argv;
  const stdout = await new Promise<string>((resolve) => {
    const options = { cwd, env, timeout: 20_000, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(command, [...flags, "-c", rendered.script], options, (_, out) =>
      resolve(out),
    );
    child.stdin?.end();
  });
  const canary = existsSync(join(cwd, "CANARY"));
  rmSync(cwd, { recursive: true, force: true });
  return { stdout, canary };
}

function text(printed: Printed, value: string): string {
  const fill = (piece: string): string => piece.replaceAll("V", () => value);
  return printed
    .map((each) =>
      typeof each === "string"
        ? fill(each)
        : `argv${each.map((arg) => `\u0002${fill(arg)}\u0003`).join("")}\u0004\n`,
    )
    .join("");
}

/** The newlines a `$( )` cuts and `cat` adds are the shell's business. */
function trimmed(output: string): string {
  return output.replace(/\n+$/, "");
}

function fits(row: Row, value: string): boolean {
  if (/\$\([^(]|`/.test(row.template) && value.endsWith("\n")) return false;
  return !(row.template.includes(" in a*|b)") && value.startsWith("a"));
}

async function inPairs<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all([worker(), worker(), worker()]);
}

const accepted = corpus.flatMap((row, index) => ("script" in row ? [{ row, index }] : []));

describe.each(SHELLS)("each accepted row of the corpus, run by $name (3.2)", ({ argv, bash }) => {
  test(
    "hands every hostile value to the program unchanged and runs none of it",
    { timeout: 120_000 },
    async () => {
      const wrong: unknown[] = [];
      let runs = 0;
      await inPairs(accepted, async ({ row, index }) => {
        if (row.bash === true && !bash) return;
        // sh is what runs a step: it gets every value. The others get a third each, in turn.
        const values = HOSTILE.filter(
          (_, at) =>
            argv[0] === "sh" ||
            (row.bash === true && argv.length === 1) ||
            (at + index) % 4 === argv.length,
        );
        for (const value of values.filter((each) => fits(row, each))) {
          const rendered = render({
            template: row.template,
            values: { x: value, ARG: value, l: ["p", "q r"], o: "", emp: "" },
          });
          if (rendered === null) {
            wrong.push({ template: row.template, value, refused: true });
            continue;
          }
          runs += 1;
          const { stdout, canary } = await run(rendered, argv);
          const expected = row.prints === null ? null : trimmed(text(row.prints, value));
          if (canary || (expected !== null && trimmed(stdout) !== expected)) {
            wrong.push({ template: row.template, value, canary, stdout, expected });
          }
        }
      });

      expect(wrong).toEqual([]);
      expect(runs).toBeGreaterThan(400);
    },
  );
});

describe("values that no argument can hold (3.2, 11)", () => {
  const big = `$(touch CANARY) "'\u00e9\n`.repeat(80_000);

  test.each(SHELLS)(
    "pass whole through builtins, heredocs and assignments in $name",
    { timeout: 60_000 },
    async ({ argv }) => {
      const script = "printf '%s' ${x}; cat <<EOF\n${x}.\nEOF\ny=${x}; printf '%s' \"$y\"";
      const rendered = render({ template: script, values: { x: big } });

      const result = await run(rendered ?? fail(), argv);

      expect(rendered?.files).toHaveLength(1);
      expect(result.canary).toBe(false);
      expect(result.stdout === `${big}${big}.\n${big}`).toBe(true);
    },
  );

  test("pass as the path of a file with |file", async () => {
    const rendered = render({ template: "cat -- ${x|file} '${x|file}'", values: { x: big } });

    const result = await run(rendered ?? fail(), ["sh"]);

    expect(result.stdout === big + big).toBe(true);
  });

  test("many values of middling size still start the command", async () => {
    const values = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`v${at}`, `${at} ${"x".repeat(90_000)}\n`]),
    );
    const template = Object.keys(values)
      .map((name) => `printf '%s' \${${name}}`)
      .join("; ");

    const result = await run(render({ template, values }) ?? fail(), ["sh"]);

    expect(result.stdout === Object.values(values).join("")).toBe(true);
  });
});

describe("|quote, for one more shell (3.2)", () => {
  const templates = [
    'sh -c "recv ${x|quote}"',
    "sh -c 'recv ${x|quote}'",
    'eval "recv ${x|quote}"',
    "eval recv ${x|quote}",
    "sh <<EOF\nrecv ${x|quote}\nEOF",
    'echo a | xargs sh -c "recv ${x|quote}"',
    "sh -c 'for i in ${x|quote}; do recv \"$i\"; done'",
  ];

  test.each(templates)("%s", async (template) => {
    const wrong: unknown[] = [];
    for (const value of HOSTILE) {
      const { stdout, canary } = await run(render({ template, values: { x: value } }) ?? fail(), [
        "sh",
      ]);
      if (canary || stdout !== text([["V"]], value)) wrong.push({ value, canary, stdout });
    }

    expect(wrong).toEqual([]);
  });

  test("makes a list several words of the inner shell", async () => {
    const rendered = render({
      template: 'sh -c "recv ${x|quote}"',
      values: { x: ["it's", "a b", ""] },
    });

    const { stdout } = await run(rendered ?? fail(), ["sh"]);

    expect(stdout).toBe(text([["it's", "a b", ""]], ""));
  });
});

describe("generated texts with a known meaning", () => {
  /** A word, and the text it stands for; V is the value. */
  interface Piece {
    readonly text: string;
    readonly means: string;
  }
  const joined = (pieces: readonly Piece[]): Piece => ({
    text: pieces.map((each) => each.text).join(""),
    means: pieces.map((each) => each.means).join(""),
  });
  const literal = fc.constantFrom("a", "-", "é", "1.", "_b");
  const reference: fc.Arbitrary<Piece> = fc.constant({ text: "${x}", means: "V" });
  const same = literal.map((text) => ({ text, means: text }));
  const { word } = fc.letrec<{ word: Piece; dq: Piece; quoted: Piece; output: Piece }>((tie) => ({
    word: fc
      .array(fc.oneof({ depthSize: "small" }, reference, same, tie("quoted")), {
        minLength: 1,
        maxLength: 3,
      })
      .map(joined),
    quoted: fc.oneof(
      { depthSize: "small" },
      fc
        .array(
          fc.oneof(
            reference,
            same,
            fc.constant({ text: '"$(', means: '"$(' }),
            fc.constant({ text: "`#", means: "`#" }),
          ),
          { maxLength: 3 },
        )
        .map((pieces) => {
          const { text, means } = joined(pieces);
          return { text: `'${text}'`, means };
        }),
      fc.array(tie("dq"), { maxLength: 3 }).map((pieces) => {
        const { text, means } = joined(pieces);
        return { text: `"${text}"`, means };
      }),
    ),
    dq: fc.oneof(
      { depthSize: "small" },
      reference,
      same,
      fc.constant({ text: "it's )", means: "it's )" }),
      fc.constant({ text: '\\"\\$', means: '"$' }),
      tie("output"),
    ),
    output: tie("word").chain((inner) =>
      fc.constantFrom(
        { text: `$(recv2 ${inner.text})`, means: inner.means },
        { text: `$(# it's ) "\n recv2 ${inner.text} )`, means: inner.means },
        { text: `$(case a in (b) : ;; a) recv2 ${inner.text};; esac)`, means: inner.means },
        {
          text: `$(if true; then for i in ${inner.text}; do recv2 "$i"; done; fi)`,
          means: inner.means,
        },
        { text: `$(f() { recv2 ${inner.text}; }; f)`, means: inner.means },
        { text: `$( (recv2 "\${U:-\${x}}" ${inner.text}) )`, means: `V ${inner.means}` },
      ),
    ),
  }));

  test("hand over exactly the value", { timeout: 120_000 }, async () => {
    const usable = HOSTILE.filter((value) => !value.endsWith("\n"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...usable),
        fc.boolean(),
        async (words, value, bash) => {
          const template = `recv ${words.map((each) => each.text).join(" ")}`;
          const rendered = render({ template, values: { x: value } });
          expect(rendered).not.toBeNull();

          const { stdout, canary } = await run(rendered ?? fail(), [bash ? "bash" : "sh"]);

          expect(canary).toBe(false);
          expect(stdout).toBe(text([words.map((each) => each.means)], value));
        },
      ),
      { numRuns: 250 },
    );
  });

  test("random shell tokens never make a value run", { timeout: 120_000 }, async () => {
    const raw =
      "${x} $ARG \" ' ` \\ ( ) { } ; & | < > << <<E E $( $(( )) (( ${U:- ${x# case in esac ;; if then fi for do done [[ ]] [ ] a=( a[ = eval $' ! && || -c sh export #";
    const whole = [
      "${x}",
      "${x}",
      '"${x}"',
      "'${x}'",
      "$(recv ${x})",
      "`recv ${x}`",
      "a=${x}",
      "a[1]=${x}",
      "; recv ${x}",
      "| cat",
      "&& export Y=${x}",
      '"$(recv "${x}")"',
      "${U:-${x}}",
      '"${U:-${x}}"',
      "$((1))",
      ">out",
      "2>&1",
      "<<E\n${x}\nE\n",
      "[[ ${x} == a ]]",
      "[ ${x} = a ]",
      "(recv ${x})",
      "if :; then recv ${x}; fi",
      "case ${x} in a) ;; esac",
      "for i in ${x}; do :; done",
      "a=(${x})",
      "<(:)",
      "$'a'",
      '$"a"',
      "#",
      "\\\n",
      "\\",
      "{ :; }",
      "f() { recv ${x}; }",
      "=",
      "]",
    ];
    const token = fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...raw.split(" ")) },
      { weight: 4, arbitrary: fc.constantFrom(...whole) },
      { weight: 4, arbitrary: fc.constantFrom(" ", " ", "\n", "recv ") },
    );
    const values = [
      "\ntouch CANARY\n",
      "a[$(touch CANARY)]",
      "$(touch CANARY)",
      "';touch CANARY;'",
      '";touch CANARY;"',
    ];
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(token, { minLength: 2, maxLength: 10 }),
        fc.constantFrom(...values),
        fc.boolean(),
        async (parts, value, bash) => {
          const rendered = render({
            template: `recv ${parts.join("")}`,
            values: { x: value, ARG: value },
          });
          if (rendered === null || !rendered.script.includes("__MMM_")) return;
          ran += 1;

          const { canary } = await run(rendered, [bash ? "bash" : "sh"]);

          expect(canary).toBe(false);
        },
      ),
      { numRuns: 2_000 },
    );
    expect(ran).toBeGreaterThan(300);
  });
});

function fail(): never {
  throw new Error("refused");
}
