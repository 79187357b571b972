/**
 * Every shipped example runs from start to end (spec 9.3, 9.4): when its commands find something, when they find nothing,
 * with a failing test that is repaired, and with one that is not.
 */
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { packageRoot, runCli, type CliResult } from "../support/run-cli.ts";
import { shClaude, type ShCall } from "../support/sh-claude.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

const examples = path.join(packageRoot, "examples");
const names = readdirSync(examples)
  .filter((file) => file.endsWith(".yml"))
  .map((file) => file.slice(0, -".yml".length));

/** The calls of Claude, without `/mmm-` and arguments. */
interface Story {
  readonly args?: readonly string[];
  /** Passes made of those allowed, when something was found; default 1/1. */
  readonly ends?: string;
  readonly found: string;
  readonly none: string;
  /** Exit code when there is nothing to do; default 0. */
  readonly noneCode?: number;
  /** The reason given then; default `No more issues found`. */
  readonly noneWhy?: string;
  /** The same as `found` with the repair; `null`: nobody repairs, what breaks the tests ends the run. */
  readonly repaired: string | null;
  /** How often a repair is tried that does not help. */
  readonly tries?: number;
  /** Exit code when it is not repaired; default 1. */
  readonly brokenCode?: number;
  /** The tests fail from the start, not because of what Claude did. */
  readonly brokenBefore?: boolean;
}

const INPUT = ["--args", "01"];
const DONE = "All iterations done";
const FAILED = "1 of 1 input failed";
const DEBUG = "debug-test-failure";

/** A finder, an implementation, perhaps more, and the repair at the end. */
function plain(finder: string, more: Partial<Story> & { readonly rest?: string } = {}): Story {
  const found = [finder, more.rest ?? "implement-spec"].join(" ");
  return { found, none: finder, repaired: `${found} ${DEBUG}`, tries: 2, ...more };
}

/** The same again until the finder finds nothing. */
function loop(finder: string, ends: string, more: Parameters<typeof plain>[1] = {}): Story {
  const once = plain(finder, more);
  const again = (calls: string | null): string | null => calls && `${calls} ${finder}`;
  return { ...once, ends, found: `${once.found} ${finder}`, repaired: again(once.repaired) };
}

const IMPLEMENT_LINT = "implement-spec lint";

const STORIES: Readonly<Record<string, Story>> = {
  "add-spec": plain("add-spec", { args: INPUT, noneWhy: DONE }),
  architecture: plain("code-review", {
    rest: "implement-spec docs-generate",
    repaired: `code-review implement-spec ${DEBUG} docs-generate`,
  }),
  "build-pipeline": {
    found: "commit-changes",
    none: "commit-changes",
    noneWhy: DONE,
    repaired: `commit-changes ${DEBUG}`,
    tries: 2,
    brokenBefore: true,
  },
  "code-review": plain("code-review", { rest: IMPLEMENT_LINT, noneWhy: DONE }),
  "commit-required": {
    args: INPUT,
    found: IMPLEMENT_LINT,
    none: "implement-spec",
    noneCode: 1,
    noneWhy: FAILED,
    repaired: null,
  },
  coverage: loop("coverage", "2/3", { rest: IMPLEMENT_LINT, brokenCode: 0 }),
  critical: loop("code-review", "2/3", {
    repaired: null,
    noneWhy: "The last iteration changed nothing",
  }),
  debug: { found: "", none: "", noneWhy: DONE, repaired: DEBUG, tries: 3, brokenBefore: true },
  "debug-with-spec": {
    args: INPUT,
    found: "lint",
    none: "lint",
    noneWhy: DONE,
    repaired: `${DEBUG} lint`,
    tries: 3,
    brokenBefore: true,
  },
  default: loop("code-review", "2/10", { rest: IMPLEMENT_LINT }),
  demo: loop("code-review", "2/5", {
    rest: IMPLEMENT_LINT,
    repaired: `code-review implement-spec ${DEBUG} lint`,
  }),
  "docs-by-file": plain("docs-generate", {
    found: "docs-generate",
    noneWhy: DONE,
    repaired: `docs-generate ${DEBUG}`,
  }),
  documentation: {
    found: "docs-generate docs-generate",
    none: "docs-generate docs-generate",
    noneWhy: DONE,
    repaired: null,
  },
  health: {
    found: "analyze-health code-review implement-spec verify-improvements",
    none: "analyze-health",
    noneWhy: DONE,
    repaired: null,
  },
  implement: {
    args: INPUT,
    found: IMPLEMENT_LINT,
    none: "implement-spec",
    noneCode: 1,
    noneWhy: FAILED,
    repaired: `${IMPLEMENT_LINT} ${DEBUG}`,
    tries: 2,
  },
  "implement-with-tests": {
    args: INPUT,
    found: "implement-spec test-generate write-tests",
    none: "implement-spec",
    noneCode: 1,
    noneWhy: FAILED,
    repaired: `implement-spec ${DEBUG} test-generate write-tests fix-test`,
    tries: 2,
  },
  improve: loop("code-review", "2/10", { rest: IMPLEMENT_LINT, repaired: null }),
  performance: plain("analyze-results"),
  "performance-review": plain("performance-review"),
  "product-enhancement": plain("product-enhance", { rest: IMPLEMENT_LINT }),
  "quick-fix": plain("code-review", {
    rest: "implement-spec lint verify-improvements",
    repaired: null,
  }),
  rust: loop("code-review", "2/3"),
  "rust-coverage": loop("coverage", "2/3", { rest: "write-tests", repaired: null }),
  security: plain("security-audit", {
    rest: "implement-spec security-validate",
    repaired: `security-audit implement-spec ${DEBUG} security-validate`,
  }),
  tdd: loop("test-generate", "2/3", {
    rest: "write-tests lint",
    repaired: "test-generate write-tests lint fix-test",
    tries: 3,
  }),
  "tech-debt": plain("cleanup-tech-debt"),
  "test-driven": loop("code-review", "2/5"),
  testing: {
    found: "test-run test-generate write-tests",
    none: "test-run test-generate",
    repaired: `test-run ${DEBUG} test-generate write-tests fix-test`,
    tries: 4,
  },
  "write-tests": plain("analyze-coverage", {
    rest: "write-tests",
    repaired: "analyze-coverage write-tests fix-test",
  }),
};

type Scene = "found" | "none" | "repaired" | "broken";

const json = (figures: unknown): string => `\n\n\`\`\`json\n${JSON.stringify(figures)}\n\`\`\``;

/** Finds something once, and nothing from then on. */
function finder(scene: Scene, command: string, file: string): readonly ShCall[] {
  const prompt = `/mmm-${command}`;
  const said = { issues_found: 1, critical_found: 1 };
  const some = `## Issues to Address\nhigh, a.js:1, wrong${json(said)}`;
  const none = `No issues found${json({ issues_found: 0, critical_found: 0 })}`;
  const ever: ShCall = { prompt, text: none };
  const once: ShCall = { prompt, once: true, writes: { [file]: "do it" }, text: some };
  return scene === "none" ? [ever] : [once, ever];
}

/** Everybody whom an example may call. */
function team(scene: Scene): readonly ShCall[] {
  const breaks = scene === "repaired" || scene === "broken" ? { broken: "x" } : {};
  const some = scene !== "none";
  const spec = (kind: string): string => `specs/temp/iteration-1-${kind}.md`;
  const work = (prompt: string, file: string, spoils = true): ShCall =>
    some
      ? { prompt, writes: { [file]: "better", ...(spoils && breaks) }, commit: `work on ${file}` }
      : { prompt };
  const repair = (prompt: string): ShCall =>
    scene === "repaired"
      ? { prompt, writes: { broken: null }, commit: "fix: the tests" }
      : { prompt };
  const report = (prompt: string, figures: unknown): ShCall => ({
    prompt,
    text: `As asked.${json(figures)}`,
  });
  const failed = scene === "repaired" || scene === "broken" ? 1 : 0;
  return [
    ...finder(scene, "add-spec", "specs/02-idea.md"),
    ...finder(scene, "code-review", spec("improvements")),
    ...finder(scene, "coverage", spec("coverage-improvements")),
    ...finder(scene, "analyze-coverage", spec("coverage")),
    ...finder(scene, "security-audit", spec("security")),
    ...finder(scene, "performance-review", spec("performance-review")),
    ...finder(scene, "performance", spec("performance")),
    ...finder(scene, "product-enhance", spec("product-enhancements")),
    ...finder(scene, "cleanup-tech-debt", spec("tech-debt-cleanup")),
    ...finder(scene, "analyze-results", spec("results")),
    ...finder(scene, "test-generate", spec("tests")),
    work("/mmm-implement-spec", "code.txt"),
    work("/mmm-write-tests", "tests.txt"),
    work("/mmm-docs-generate readme", "README.md", false),
    work("/mmm-docs-generate .mmm", "STRUCTURE.md", false),
    work("/mmm-docs-generate", "comments.txt"),
    work("/mmm-commit-changes", "formatted.txt", false),
    repair("/mmm-debug-test-failure"),
    repair("/mmm-fix-test"),
    report("/mmm-test-run", { failed, passed: 3 }),
    report("/mmm-analyze-health", { health_score: some ? 72 : 95, weakest: "tests" }),
    report("/mmm-security-validate", { open_findings: 0, closed_findings: 1 }),
    report("/mmm-verify-improvements", { verified: true, open_items: 0 }),
    { prompt: "/mmm-lint" },
  ];
}

const TEST = "test ! -e broken || { echo not ok 1; exit 1; }";
const CONFIG = `project:
  test: "${TEST}"
  lint: "true"
  build: "true"
  format: "true"
  bench: "echo 12"
`;

/** Covers one line more once there are tests. */
const CARGO = `#!/bin/sh
case "$1" in
test) ${TEST} ;;
llvm-cov) mkdir -p target && { echo SF:a.rs; echo DA:1,1; test -e tests.txt && echo DA:2,1 || echo DA:2,0; echo end_of_record; } > target/lcov.info ;;
esac
`;

const FILES = {
  "README.md": "hello\n",
  ".gitignore": "target/\n",
  "demo.test.js": 'if (require("fs").existsSync("broken")) throw new Error("not ok 1");\n',
};

const repos: TempRepo[] = [];

afterAll(async () => {
  await Promise.all(repos.map((repo) => repo.dispose()));
});

interface Staged {
  readonly repo: TempRepo;
  readonly cook: () => Promise<CliResult>;
  readonly prompts: () => Promise<readonly string[]>;
}

async function stage(
  name: string,
  scene: Scene,
  config = CONFIG,
  files: Readonly<Record<string, string>> = FILES,
): Promise<Staged> {
  const story = STORIES[name];
  const isBroken = (scene === "repaired" || scene === "broken") && story?.brokenBefore === true;
  const repo = await makeRepo({
    ...files,
    ...(isBroken && { broken: "x" }),
  });
  repos.push(repo);
  await repo.write(".mmm/config.yml", config);
  await repo.writeProgram("../bin/cargo", CARGO);
  const bin = path.join(repo.base, "bin");
  const commands = path.join(repo.root, ".claude", "commands");
  mkdirSync(commands, { recursive: true });
  cpSync(path.join(packageRoot, "commands"), commands, { recursive: true });
  const claude = await shClaude(bin, team(scene));
  const env = {
    ...repo.env,
    PATH: `${bin}:${repo.env["PATH"] ?? ""}`,
    MMM_CLAUDE_BIN: claude.bin,
    IS_SANDBOX: "1",
  };
  return {
    repo,
    cook: () => runCli(["cook", name, ...(story?.args ?? [])], { cwd: repo.root, env }),
    prompts: claude.prompts,
  };
}

const callOf = (prompt: string): string => /^\/mmm-(\S+)/.exec(prompt)?.[1] ?? prompt;

/** Cooks the shipped file by its name, and tells what Claude was asked. */
async function cook(name: string, scene: Scene) {
  const { repo, cook: run, prompts } = await stage(name, scene);
  const { code, stdout, stderr } = await run();
  const asked = await prompts();
  for (const prompt of asked) expect(prompt).not.toMatch(/\$\{|\$[A-Z]/);
  const calls = asked.map(callOf).join(" ");
  expect(await repo.git("status", "--porcelain", "--", ".", ":!.claude", ":!.mmm")).toBe("");
  const isBroken = existsSync(path.join(repo.root, "broken"));
  const warnings = stderr.split("\n").filter((line) => line !== "" && !line.includes(SHIPPED));
  const subjects = (await repo.git("log", "--format=%s", "--reverse")).split("\n").slice(1);
  return { code, stdout, stderr, warnings, asked, calls, isBroken, subjects };
}

const SHIPPED = "is not here; taking the one that mmm ships";

const count = (calls: string): number =>
  calls.split(" ").filter((call) => call === DEBUG || call === "fix-test").length;

describe("the examples", () => {
  test("are the ones whose stories stand here", () => {
    expect(names.toSorted()).toEqual(Object.keys(STORIES).toSorted());
  });

  describe.each(Object.entries(STORIES))("%s", (name, story) => {
    test.concurrent("does what was found, tests it, and ends (F40)", async () => {
      const { code, calls, stdout, warnings, asked } = await cook(name, "found");

      expect(calls).toBe(story.found);
      expect(stdout).toContain(`Iterations: ${story.ends ?? "1/1"}`);
      // No coverage report comes out of these tests.
      expect(warnings).toEqual(
        name === "health" ? [expect.stringContaining("coverage_increased skipped")] : [],
      );
      expect(code).toBe(0);
      const spec = asked.find((prompt) => prompt.startsWith("/mmm-implement-spec"));
      if (spec !== undefined && story.args === undefined)
        expect(spec).toMatch(/^\/mmm-implement-spec specs\/temp\/iteration-1-[\w-]+\.md$/);
    });

    test.concurrent("ends early when there is nothing to do (spec 3.3)", async () => {
      const { code, calls, stdout, subjects } = await cook(name, "none");

      expect(calls).toBe(story.none);
      expect(stdout).toContain(`Reason: ${story.noneWhy ?? "No more issues found"}`);
      expect(subjects).toEqual([]);
      expect(stdout).toContain(`Iterations: 1/${story.ends?.split("/")[1] ?? "1"}`);
      expect(code).toBe(story.noneCode ?? 0);
    });

    test.concurrent("is not content with a failing test", async () => {
      const { code, calls, isBroken, stdout, asked } = await cook(
        name,
        story.repaired === null ? "broken" : "repaired",
      );

      expect(isBroken).toBe(false);
      if (story.repaired !== null) {
        expect(calls).toBe(story.repaired);
        expect(code).toBe(0);
        const repairs = asked.filter((prompt) => count(callOf(prompt)) > 0);
        // The last one is told what mmm itself has seen.
        expect(repairs.at(-1)).toContain("not ok 1");
        for (const prompt of repairs) expect(prompt).not.toMatch(/--spec (?:--|$)/);
        return;
      }
      expect(code).toBe(1);
      expect(count(calls)).toBe(0);
      expect(stdout).toContain("tests_pass");
    });

    if (story.repaired === null) return;
    test.concurrent("gives up on a test that stays red, and says so", async () => {
      const { code, calls, stdout, stderr } = await cook(name, "broken");

      expect(count(calls)).toBe(story.tries);
      expect(code).toBe(story.brokenCode ?? 1);
      expect(`${stdout}${stderr}`).toContain("not ok 1");
    });
  });

  test("those that the original calls otherwise are named when they are asked for", async () => {
    const repo = await makeRepo();
    repos.push(repo);
    const renamed = {
      "documentation-workflow": "documentation",
      "examples/complex-build-pipeline.yml": "build-pipeline",
      "coverage-simplified.yml": "coverage",
    };

    for (const [typed, name] of Object.entries(renamed)) {
      const { code, stderr } = await runCli(["cook", typed], { cwd: repo.root, env: repo.env });
      expect(code).toBe(2);
      expect(stderr).toContain(`did you mean ${name}?`);
      expect(names).toContain(name);
    }
  });

  test("are found by name in any folder of a repository", async () => {
    const repo = await makeRepo({ "deep/er/x": "" });
    repos.push(repo);
    const cwd = path.join(repo.root, "deep", "er");
    await runCli(["init"], { cwd, env: repo.env });

    const { code, stdout } = await runCli(["cook", "debug", "--dry-run"], { cwd, env: repo.env });

    expect(code).toBe(0);
    expect(stdout).toContain("tests_pass");
  });

  test("performance reads the code where there is no benchmark", async () => {
    const config = CONFIG.replace(/ {2}bench.*\n/, "");
    const { cook: run, prompts } = await stage("performance", "found", config);

    const { code } = await run();

    expect(code).toBe(0);
    expect(await prompts()).toEqual([
      "/mmm-performance",
      "/mmm-implement-spec specs/temp/iteration-1-performance.md",
    ]);
  });

  test.concurrent.each([
    ["build-pipeline", "", ["build_passes", "lint_clean", "tests_pass"]],
    ["debug", "", ["tests_pass"]],
    ["default", STORIES["default"]?.found, ["tests_pass"]],
    ["health", STORIES["health"]?.found, ["performance_regression", "coverage_increased"]],
    ["performance", "performance implement-spec", ["tests_pass"]],
    ["quick-fix", STORIES["quick-fix"]?.found, ["tests_pass"]],
  ] as const)(
    "%s comes to its end in a project without any command, and says what it skips (spec 9.4)",
    async (name, wanted, skipped) => {
      const { cook: run, prompts } = await stage(name, "found", "", { "README.md": "hello\n" });

      const { code, stderr } = await run();

      expect(code).toBe(0);
      expect((await prompts()).map(callOf).join(" ")).toBe(wanted);
      for (const gate of skipped) expect(stderr).toContain(`${gate} skipped: no `);
    },
  );
});
