import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
