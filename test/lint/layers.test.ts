/** The rules of the house are seen to fire: faults are planted in a scratch copy of the layout. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tablesOf } from "../docs/blocks.ts";
import { packageRoot } from "../support/run-cli.ts";

/** `.mmm/ARCHITECTURE.md`, "Who may import whom": room to the rooms it may import. */
const allowed: ReadonlyMap<string, readonly string[]> = new Map(
  tablesOf(".mmm/ARCHITECTURE.md")
    .find(({ mark }) => mark === "layers")
    ?.rows.map(([room = "", rooms = ""]) => [
      room.replaceAll("`", ""),
      rooms.split(" ").filter((name) => name !== ""),
    ]),
);
const rooms = [...allowed.keys()];
const pure = ["playbook", "steps", "engine", "values", "metrics", "lib"];

const lines = (count: number): string =>
  Array.from({ length: count }, (_, index) => `export const x${index} = ${index};`).join("\n");

/** Path below `src/` to its text; each but the last holds exactly one fault. */
const faults: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    pure.flatMap((room) => [
      [
        `${room}/with-files.ts`,
        `import { readFileSync } from "node:fs";\nexport const x = readFileSync;`,
      ],
      [`${room}/with-execa.ts`, `import { execa } from "execa";\nexport const x = execa;`],
      [`${room}/with-process.ts`, `export const x = process.pid;`],
      [`${room}/with-date.ts`, `export const x = () => new Date();`],
      [`${room}/with-timer.ts`, `export const x = () => setTimeout(() => undefined, 1);`],
      [`${room}/with-random.ts`, `export const x = () => Math.random();`],
      [`${room}/with-fetch.ts`, `export const x = fetch;`],
    ]),
  ),
  ...Object.fromEntries(
    rooms.map((room) => [
      `${room}/with-main.ts`,
      `import { main } from "../main.ts";\nexport const x = main;`,
    ]),
  ),
  ...Object.fromEntries(
    rooms
      .filter((room) => room !== "cli")
      .map((room) => [
        `${room}/with-commander.ts`,
        `import { Command } from "commander";\nexport const x = Command;`,
      ]),
  ),
  "git/with-console.ts": `export const x = () => console.log("hello");`,
  "git/with-environment.ts": `export const x = process.env["HOME"];`,
  "git/with-default.ts": `const x = 1;\nexport default x;`,
  "git/with-floating-promise.ts": `async function f(): Promise<void> {}\nexport function x(): void {\n  f();\n}`,
  "git/with-floating-execa.ts": `import { execa } from "execa";\nexport function x(): void {\n  execa("ls");\n}`,
  "git/with-promise-as-condition.ts": `async function f(): Promise<boolean> {\n  return true;\n}\nexport const x = () => (f() ? 1 : 2);`,
  "git/with-missing-case.ts": `export function x(kind: "a" | "b"): number | undefined {\n  switch (kind) {\n    case "a":\n      return 1;\n  }\n  return undefined;\n}`,
  "git/with-many-lines.ts": lines(251),
  "git/with-long-function.ts": `export function x(): number {\n  let y = 0;\n${"  y += 1;\n".repeat(60)}  return y;\n}`,
  "git/with-many-parameters.ts": `export const x = (a: 1, b: 1, c: 1, d: 1, e: 1) => [a, b, c, d, e];`,
  "git/with-many-branches.ts": `export function x(n: number): number {\n${Array.from({ length: 21 }, (_, i) => `  if (n === ${i}) return ${i};\n`).join("")}  return -1;\n}`,
  "git/camelCase.ts": `export const x = 1;`,
  "git/with-any.ts": `export const x = (y: any) => y;`,
  "git/with-bang.ts": `export const x = (y: string | null) => y!.length;`,
  "git/with-eval.ts": `export const x = () => eval("1");`,
  "git/with-loose-equality.ts": `export const x = (y: string) => y == "1";`,
  "git/with-bare-fs.ts": `import { readFileSync } from "fs";\nexport const x = readFileSync;`,
  "git/circle-a.ts": `import { b } from "./circle-b.ts";\nexport const a = () => b;`,
  "git/circle-b.ts": `import { a } from "./circle-a.ts";\nexport const b = () => a;`,
};

/** What no rule objects to: the same things where they belong. */
const sound: Readonly<Record<string, string>> = {
  "main.ts": `export const main = 1;`,
  ...Object.fromEntries(rooms.map((room) => [`${room}/plain.ts`, `export const plain = 1;`])),
  ...Object.fromEntries(
    pure.map((room) => [
      `${room}/with-path.ts`,
      `import path from "node:path";\nexport const x = path.basename("a/b");`,
    ]),
  ),
  "cli/with-commander.ts": `import { Command } from "commander";\nexport const x = Command;`,
  "report/with-console.ts": `export const x = () => console.log("hello");`,
  "process/with-environment.ts": `export const x = process.env["HOME"];`,
  "session/with-date.ts": `import { writeFileSync } from "node:fs";\nexport const x = () => writeFileSync("x", new Date().toISOString());`,
  "git/exactly-so-many-lines.ts": lines(250),
};

const imports: Readonly<Record<string, string>> = Object.fromEntries(
  rooms.flatMap((room) =>
    rooms
      .filter((other) => other !== room)
      .map((other) => [
        `${room}/from-${other}.ts`,
        `import { plain } from "../${other}/plain.ts";\nexport const x = plain;`,
      ]),
  ),
);

let scratch = "";
/** Path below `src/` to the rules that objected. */
const objections = new Map<string, readonly string[]>();

beforeAll(() => {
  scratch = realpathSync(mkdtempSync(path.join(os.tmpdir(), "mmm-lint-")));
  for (const file of [".oxlintrc.json", "tsconfig.json"])
    copyFileSync(path.join(packageRoot, file), path.join(scratch, file));
  symlinkSync(path.join(packageRoot, "node_modules"), path.join(scratch, "node_modules"));
  for (const [file, text] of Object.entries({ ...faults, ...sound, ...imports })) {
    const target = path.join(scratch, "src", file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, `${text}\n`);
  }
  const oxlint = path.join(packageRoot, "node_modules/oxlint/bin/oxlint");
  const ran = spawnSync(
    process.execPath,
    [oxlint, "--type-aware", "--deny-warnings", "--format", "json", "src"],
    { cwd: scratch, encoding: "utf8", maxBuffer: 1 << 26 },
  );
  const report = JSON.parse(ran.stdout) as {
    readonly diagnostics: readonly { readonly code?: string; readonly filename: string }[];
  };
  for (const { code, filename } of report.diagnostics) {
    const file = path.relative(
      "src",
      path.isAbsolute(filename) ? path.relative(scratch, filename) : filename,
    );
    // `eslint(no-console)`, `typescript-eslint(no-floating-promises)`
    const rule = /\(([\w-]+)\)/u.exec(code ?? "")?.[1] ?? String(code);
    objections.set(file, [...(objections.get(file) ?? []), rule]);
  }
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const rulesFor = (file: string): readonly string[] => [...new Set(objections.get(file))].sort();

describe("the layers", () => {
  it("are those of .mmm/ARCHITECTURE.md: each room, and every import it may and may not have", () => {
    const found = rooms.map((room) => [
      room,
      rooms.filter((other) => other !== room && rulesFor(`${room}/from-${other}.ts`).length === 0),
    ]);

    expect(rooms.length).toBe(14);
    expect(found).toEqual(
      rooms.map((room) => [room, rooms.filter((other) => allowed.get(room)?.includes(other))]),
    );
  });

  it("object with the rule for imports and nothing else", () => {
    const rules = Object.keys(imports).flatMap(rulesFor);

    expect([...new Set(rules)]).toEqual(["no-restricted-imports"]);
  });

  it.each(rooms)("keep %s from importing main.ts", (room) => {
    expect(rulesFor(`${room}/with-main.ts`)).toEqual(["no-restricted-imports"]);
  });

  it.each(rooms.filter((room) => room !== "cli"))("keep commander out of %s", (room) => {
    expect(rulesFor(`${room}/with-commander.ts`)).toEqual(["no-restricted-imports"]);
  });

  it.each(
    pure.flatMap((room) =>
      [
        ["with-files", "no-restricted-imports"],
        ["with-execa", "no-restricted-imports"],
        ["with-process", "no-restricted-globals"],
        ["with-date", "no-restricted-globals"],
        ["with-timer", "no-restricted-globals"],
        ["with-fetch", "no-restricted-globals"],
        ["with-random", "no-restricted-properties"],
      ].map(([name, rule]) => ({ file: `${room}/${name}.ts`, rule })),
    ),
  )("keep the pure room clean of the fault in $file", ({ file, rule }) => {
    expect(rulesFor(file)).toEqual([rule]);
  });
});

describe("the rules of the house", () => {
  it.each([
    ["git/with-console.ts", "no-console"],
    ["git/with-environment.ts", "no-process-env"],
    ["git/with-default.ts", "no-default-export"],
    ["git/with-floating-promise.ts", "no-floating-promises"],
    ["git/with-floating-execa.ts", "no-floating-promises"],
    ["git/with-promise-as-condition.ts", "no-misused-promises"],
    ["git/with-missing-case.ts", "switch-exhaustiveness-check"],
    ["git/with-many-lines.ts", "max-lines"],
    ["git/with-long-function.ts", "max-lines-per-function"],
    ["git/with-many-parameters.ts", "max-params"],
    ["git/with-many-branches.ts", "complexity"],
    ["git/camelCase.ts", "filename-case"],
    ["git/with-any.ts", "no-explicit-any"],
    ["git/with-bang.ts", "no-non-null-assertion"],
    ["git/with-eval.ts", "no-eval"],
    ["git/with-loose-equality.ts", "eqeqeq"],
    ["git/with-bare-fs.ts", "prefer-node-protocol"],
    ["git/circle-a.ts", "no-cycle"],
  ])("fire: %s is refused by %s", (file, rule) => {
    expect(rulesFor(file)).toContain(rule);
  });

  it.each(Object.keys(sound))("let %s be", (file) => {
    expect(rulesFor(file)).toEqual([]);
  });
});
