/** Every shipped example runs from start to end, and ends as its first lines say (spec 9.3). */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { FakeCall } from "../support/fake-claude.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { packageRoot } from "../support/run-cli.ts";

const folder = path.join(packageRoot, "examples");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".yml"))
  .map((file) => file.slice(0, -".yml".length));

/** Finds something once, and nothing from then on. */
const finder = (command: string, kind: string): readonly FakeCall[] => [
  { prompt: command, writes: { [`specs/temp/iteration-1-${kind}.md`]: "do it" }, text: "found" },
  { prompt: command, times: "always", text: "nothing found" },
];

const team: readonly FakeCall[] = [
  ...finder("/mmm-code-review", "improvements"),
  ...finder("/mmm-coverage", "coverage-improvements"),
  ...finder("/mmm-analyze-coverage", "coverage"),
  ...finder("/mmm-security-audit", "security"),
  ...finder("/mmm-performance", "performance"),
  ...finder("/mmm-product-enhance", "product-enhancements"),
  ...finder("/mmm-cleanup-tech-debt", "tech-debt-cleanup"),
  ...finder("/mmm-analyze-results", "findings"),
  ...finder("/mmm-test-generate", "tests"),
  { prompt: "/mmm-implement-spec", writes: { "code.txt": "better" }, commit: "implement the spec" },
  { prompt: "/mmm-write-tests", writes: { "tests.txt": "a test" } },
  { prompt: "/mmm-debug-test-failure", writes: { fixed: "x" } },
  { prompt: "/mmm-fix-test", writes: { fixed: "x" } },
  { prompt: "/mmm-docs-generate", writes: { "README.md": "true again" } },
  { prompt: "/mmm-docs-generate", times: "always" },
  { prompt: "/mmm-lint", times: "always" },
];

/** Passes as soon as somebody has mended it; `node --test` of the demo is `make test` here. */
const MAKE = `#!/bin/sh
case "$1" in
bench) echo "12 ops/s" ;;
*) test -e fixed || { echo "not ok 1"; exit 1; } ;;
esac
`;

/** Passes made of those allowed; the first line of the file says whether there is an input. */
const ENDS: Readonly<Record<string, string>> = {
  default: "2/10",
  improve: "2/10",
  demo: "2/5",
  coverage: "2/3",
  tdd: "2/3",
  "test-driven": "2/5",
};

let kitchen: Kitchen | null = null;

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

describe("the examples", () => {
  test.each(names)(
    "%s runs to its end, and no reference is left in a prompt (F40)",
    async (name) => {
      kitchen = await openKitchen(team);
      const { repo, mmm, prompts } = kitchen;
      await repo.writeProgram("../bin/make", MAKE);
      await repo.write(`${name}.yml`, readFileSync(path.join(folder, `${name}.yml`)));
      if (name === "demo") {
        await repo.write("demo.test.js", 'require("fs").statSync("fixed");\n');
        await repo.commitAll("a test");
      }
      await mmm(["init"]);
      const text = await repo.read(`${name}.yml`);
      const args = text.includes("$ARG") ? ["--args", "01"] : [];

      const { code, stdout, stderr } = await mmm(["cook", `${name}.yml`, ...args], {
        env: { PATH: `${path.join(repo.base, "bin")}:${repo.env["PATH"] ?? ""}` },
      });

      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toContain(`Iterations: ${ENDS[name] ?? "1/1"}`);
      const asked = await prompts();
      expect(asked.length).toBeGreaterThan(0);
      for (const prompt of asked) expect(prompt).not.toMatch(/\$\{|\$[A-Z]/);
      if (/make test|node --test/.test(text)) expect(await repo.read("fixed")).toBe("x");
      if (text.includes("/mmm-implement-spec ${") || name === "improve")
        expect(asked.find((prompt) => prompt.startsWith("/mmm-implement-spec"))).toMatch(
          /^\/mmm-implement-spec specs\/temp\/iteration-1-[\w-]+\.md$/,
        );
      const left = ["--", ".", ":!.claude", ":!.mmm", `:!${name}.yml`];
      expect(await repo.git("status", "--porcelain", ...left)).toBe("");
    },
  );
});
