import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import {
  renderDiagnostics,
  renderDiagnosticsGithub,
  renderDiagnosticsJson,
} from "../../src/playbook/print.ts";
import { readPlaybook, type ReadResult } from "../../src/playbook/read.ts";

/** How many documents are made, all together; `MMM_TEST_DOCUMENTS=100000 npx vitest run` makes all that is promised. */
const documents = Number(process.env["MMM_TEST_DOCUMENTS"] ?? 2200);
const share = (of: number): { readonly numRuns: number } => ({
  numRuns: Math.ceil(documents * of),
});
// None may hang, and all of them take their time.
vi.setConfig({ testTimeout: 60_000 + documents * 10 });

const folder = join(import.meta.dirname, "golden");
const wrong = readdirSync(folder)
  .filter((name) => !name.endsWith(".txt"))
  .map((name) => readFileSync(join(folder, name), "utf8"));

const VALID = `name: x
max_iterations: 3
env: {CI: 1}
defaults: {timeout: 5m, env: &env {A: b}}
claude: {model: opus}
steps:
  - mmm-code-review --focus all
  - {name: mmm-lint, args: [$ARG, 3]}
  - claude: {prompt: "/mmm-x \\u00e9", max_turns: 3}
    id: cov
    env: *env
    outputs:
      spec: {file_pattern: "specs/*.md"}
      n: {capture: number, pattern: '/it''s (\\d+)/i', default: 0}
  - shell: |
      npm test
      echo "\${cov.spec}"
    on_failure:
      do: [mmm-fix, {shell: "npm ci"}]
      max_attempts: 3
    on_exit_code: {101: {shell: x, fail_workflow: false}}
    on_success: mmm-done
  - analyze: {max_cache_age: 60}
`;

/** What holds of every answer, whatever the file. */
function checkAnswer({ playbook, diagnostics, source }: ReadResult): void {
  const hasErrors = diagnostics.some(({ severity }) => severity === "error");
  expect(playbook === null).toBe(hasErrors);
  for (const { range, related, code, message } of diagnostics) {
    for (const { start, end } of related ? [range, related.range] : [range]) {
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end).toBeGreaterThanOrEqual(start);
      expect(end).toBeLessThanOrEqual(source.text.length);
    }
    expect(code).toMatch(/^[a-z0-9-]+$/);
    expect(message).not.toBe("");
  }
  const places = diagnostics.map(({ range }) => range.start);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(renderDiagnostics(source, diagnostics)).not.toMatch(/[\0-\x08\x0b-\x1f\x7f]/);
  expect(renderDiagnosticsGithub(source, diagnostics).split("\n")).toHaveLength(
    diagnostics.length + 1,
  );
  expect(() => JSON.parse(renderDiagnosticsJson(source, diagnostics))).not.toThrow();
}

test("the playbook that is mutated below is valid", () => {
  expect(readPlaybook("x.yml", VALID).diagnostics).toEqual([]);
});

const PIECES = [
  " ",
  "\n",
  "\t",
  "\r\n",
  "- ",
  ": ",
  "[",
  "]",
  "{",
  "}",
  "'",
  '"',
  "&a ",
  "*a",
  "#",
  "|\n",
  ">-\n",
  "!x ",
  "? ",
  "<<: ",
  "---\n",
  "...\n",
  "\\",
  "\0",
  "\ud83d",
  "é",
  "👩‍👩‍👧",
  "null",
  "-1",
  ".inf",
  "__proto__",
  "steps",
  "on_failure",
  "constructor",
  "%YAML 1.1\n",
];

test("a mutated playbook never throws, and every place lies in the text", () => {
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat({ max: 20 }),
    insert: fc.constantFrom("", ...PIECES),
  });
  const text = fc.constantFrom(VALID, ...wrong.filter((file) => file.length < 3000));
  fc.assert(
    fc.property(text, fc.array(mutation, { minLength: 1, maxLength: 5 }), (start, mutations) => {
      let mutated = start;
      for (const { at, remove, insert } of mutations) {
        const from = Math.floor(at * mutated.length);
        mutated = mutated.slice(0, from) + insert + mutated.slice(from + remove);
      }
      checkAnswer(readPlaybook("x.yml", mutated));
    }),
    share(0.3),
  );
});

test("text put together from YAML's own pieces never throws", () => {
  const text = fc.array(fc.constantFrom("a", "shell: x", "id: x", ...PIECES), { maxLength: 30 });
  fc.assert(
    fc.property(text, (pieces) => checkAnswer(readPlaybook("x.yml", pieces.join("")))),
    share(0.3),
  );
});

test("any value under any key never throws", () => {
  const keys = [
    "name",
    "env",
    "defaults",
    "claude",
    "commit",
    "steps",
    "commands",
    "config",
    "shell",
    "analyze",
    "test",
    "metadata",
    "options",
    "args",
    "id",
    "timeout",
    "on_failure",
    "on_success",
    "on_exit_code",
    "outputs",
    "capture_output",
    "analysis",
    "auto_commit",
    "do",
    "max_attempts",
    "fail_workflow",
    "file_pattern",
    "capture",
    "path",
    "pattern",
    "default",
    "prompt",
    "run",
    "stdin",
    "retry",
    "5",
    "toString",
  ];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      fc.oneof(
        fc.constantFrom("", "x", "$.a", "/a/i", "5m", "text", "/x"),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.double(),
      ),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie("value"), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(value, (json) => checkAnswer(readPlaybook("x.json", JSON.stringify(json)))),
    share(0.2),
  );
});

test("any bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
      checkAnswer(readPlaybook("x", bytes)),
    ),
    share(0.2),
  );
});
