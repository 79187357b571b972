import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { shippedCommands, type ShippedCommand } from "../../src/app/shipped-commands.ts";
import { captureValue } from "../../src/engine/capture.ts";

const packageRoot = path.join(import.meta.dirname, "../..");
const commands = await shippedCommands(packageRoot);

interface Promised {
  /** Ending of the temporary spec's name; `null`: it writes none there. */
  readonly spec: string | null;
  /** `null`: it commits nothing. */
  readonly subject: string | null;
  readonly outputs?: readonly string[];
}

/** What playbooks and the engine count on: the file it leaves, the commit's subject, what it prints. */
const promises: Readonly<Record<string, Promised>> = {
  "mmm-add-spec": { spec: null, subject: "add: spec <number> - <title>" },
  "mmm-analyze-coverage": { spec: "coverage", subject: "test: generate coverage improvement spec" },
  "mmm-analyze-health": { spec: null, subject: null, outputs: ["health_score", "weakest"] },
  "mmm-analyze-results": { spec: "results", subject: "perf: generate optimization spec" },
  "mmm-cleanup-tech-debt": {
    spec: "tech-debt-cleanup",
    subject: "cleanup: generate tech debt cleanup spec for iteration-<ts>-tech-debt-cleanup",
  },
  "mmm-code-review": {
    spec: "improvements",
    subject: "review: generate improvement spec for iteration-<ts>-improvements",
    outputs: ["issues_found", "critical_found"],
  },
  "mmm-commit-changes": { spec: null, subject: "<type>: <what it does>" },
  "mmm-coverage": {
    spec: "coverage-improvements",
    subject: "test: generate coverage improvement spec for iteration-<ts>",
  },
  "mmm-debug-test-failure": {
    spec: null,
    subject: "fix: resolve test failures from implementation",
  },
  "mmm-docs-generate": { spec: null, subject: "docs: update" },
  "mmm-fix-test": { spec: null, subject: "fix: repair" },
  "mmm-implement-spec": { spec: null, subject: "fix: apply improvements from spec" },
  "mmm-lint": { spec: null, subject: "style: apply automated formatting and lint fixes" },
  "mmm-merge-worktree": { spec: null, subject: "Merge worktree '<branch>' into <target>" },
  "mmm-performance": { spec: "performance", subject: "perf: generate optimization spec for" },
  "mmm-performance-review": {
    spec: "performance-review",
    subject: "perf: review cost of recent changes perf-<ts>",
  },
  "mmm-product-enhance": {
    spec: "product-enhancements",
    subject: "product: enhance <focus> for iteration-<ts>",
  },
  "mmm-security-audit": { spec: "security", subject: "security: audit spec for <focus>" },
  "mmm-security-validate": {
    spec: null,
    subject: null,
    outputs: ["open_findings", "closed_findings"],
  },
  "mmm-test-generate": { spec: "tests", subject: "test: generate test spec for <target>" },
  "mmm-test-run": { spec: null, subject: null, outputs: ["tests_failed", "tests_passed"] },
  "mmm-verify-improvements": { spec: null, subject: null, outputs: ["verified", "open_items"] },
  "mmm-write-tests": { spec: null, subject: "test: add tests from spec" },
};

/** The tools of its frontmatter. */
const toolsOf = (text: string): readonly string[] =>
  /^allowed-tools: (.+)$/m.exec(text)?.[1]?.split(", ") ?? [];

/** What every command may look at, besides files. */
const reading = "blame diff grep log ls-files rev-parse show status".split(" ");

/** From what its text tells to do: `Write`, `Edit` and `Bash` from its sections, the rest from its code spans. */
function toolsNeeded(text: string): readonly string[] {
  const [, , body = ""] = text.split(/^---\n/mu);
  const section = (title: string): string | undefined =>
    new RegExp(`^## ${title}\\n([^]*?)(?=^## )`, "mu").exec(body)?.[1];
  const isReport = section("Commit")?.startsWith("None: nothing is staged") ?? false;
  const writesSpec = section("Write the spec") !== undefined;
  const edits = !isReport && !writesSpec && !body.includes("You change no file.");
  // Formatters and linters make no new file.
  const writes = writesSpec || (edits && !body.includes("Mechanical changes only."));
  const tools = ["Read", "Glob", "Grep", ...(writes ? ["Write"] : []), ...(edits ? ["Edit"] : [])];
  // What belongs to the project can be any command.
  if (/\b[Rr]un (?:the|this|it|a)\b/u.test(section("Steps") ?? "")) return [...tools, "Bash"];
  const spans = [...body.matchAll(/`([^`\n]+)`/gu)].map((match) => match[1] ?? "");
  const git = spans.flatMap((span) => /^git ([a-z-]+)/u.exec(span)?.slice(1) ?? []);
  const staging = isReport ? [] : ["add", "commit"];
  const programs = [
    ...[...reading, ...staging, ...git].map((each) => `git ${each}`),
    "ls",
    "printenv",
    ...(spans.some((span) => span.startsWith("date ")) ? ["date"] : []),
  ];
  return [...tools, ...new Set(programs.map((each) => `Bash(${each}:*)`))];
}

const sections = ["Look first", "Steps", "Commit", "Nothing to do", "Bounds"];

describe("the shipped commands (spec 9.3)", () => {
  it("are the ones whose promises stand here", () => {
    expect([...commands.keys()]).toEqual(Object.keys(promises));
  });

  describe.each([...commands])("%s", (name, command: ShippedCommand) => {
    const { text } = command;
    const front: unknown = parse(text.split("---\n")[1] ?? "");

    it("has Claude's frontmatter", () => {
      expect(front).toMatchObject({
        description: expect.stringMatching(/^[A-Z].{20,120}$/u),
        "argument-hint": expect.any(String),
        "allowed-tools": expect.stringContaining("Read"),
      });
    });

    it("says what to look at first, what to do, what to commit, when to stop, what to print last", () => {
      const titles = [...text.matchAll(/^## (.+)$/gmu)].map((match) => match[1]);

      expect(titles).toEqual(expect.arrayContaining([...sections, "Without a person"]));
      expect(titles.at(-1)).toBe("Print last");
      const first = [
        "$MMM_CONTEXT_DIR",
        "$MMM_CONTEXT_AVAILABLE",
        ".mmm/PROJECT.md",
        "ARCHITECTURE.md",
      ];
      for (const word of first) expect(text).toContain(word);
      expect(text).toContain("MMM_AUTOMATION=true");
      expect(text).toMatch(/no attribution/u);
    });

    it("promises the spec's file and the commit's subject that playbooks count on", () => {
      const promised = promises[name];
      const file = /`specs\/temp\/iteration-<ts>-([a-z-]+)\.md`/u.exec(text)?.[1] ?? null;

      expect(file).toBe(promised?.spec);
      const commit = /^## Commit\n([^]*?)\n\n## /mu.exec(text)?.[1];
      if (promised?.subject === null) expect(commit).toMatch(/^None: nothing is staged/u);
      else expect(commit).toContain(`\`${promised?.subject}`);
      const isNumbered = text.includes("`specs/<number>-<slug>.md`");
      expect(command.rules.produces).toBe(promised?.spec === null && !isNumbered ? null : "spec");
    });

    it("prints, last of all, the JSON from which each output it declares is read (spec 9.2)", () => {
      const outputs = command.rules.outputs ?? [];

      expect(outputs.map((output) => output.name)).toEqual(promises[name]?.outputs ?? []);
      const example = /```json\n[^]*?\n```\n$/u.exec(text)?.[0] ?? "";
      expect(example === "").toBe(outputs.length === 0);
      for (const { rule } of outputs) {
        expect(rule.kind).toBe("capture");
        if (rule.kind !== "capture") continue;
        const taken = captureValue(`prose before\n\n${example}`, rule);
        expect(taken.ok && taken.value).not.toBeNull();
        expect(taken.ok).toBe(true);
      }
    });

    it("may use the tools that its text needs, and no more", () => {
      expect(toolsOf(text).toSorted()).toEqual(toolsNeeded(text).toSorted());
    });

    it("takes its arguments in one place, and holds nothing that the Claude CLI expands", () => {
      expect(text.split("$ARGUMENTS")).toHaveLength(2);
      // !`command` is run, $1 is replaced, and @file is read by some versions of the CLI
      expect(text).not.toMatch(/!`|\$\d|(?:^|\s)@\w|\$&/mu);
    });

    it("is 40 to 80 lines and speaks of no language in particular", () => {
      expect(text.split("\n").length).toBeGreaterThan(40);
      expect(text.split("\n").length).toBeLessThan(80);
      expect(text).not.toMatch(/\b(?:cargo|npm|pytest|clippy|rustfmt|eslint)\b/iu);
    });
  });

  it("are refused with their place when a block is wrong: then the package is damaged", async () => {
    const root = mkdtempSync(path.join(tmpdir(), "mmm-package-"));
    try {
      mkdirSync(path.join(root, "commands"));
      const file = path.join(root, "commands", "mmm-x.md");
      writeFileSync(file, "---\nmmm:\n  commit: maybe\n---\n");

      await expect(shippedCommands(root)).rejects.toMatchObject({
        code: "package-damaged",
        exitCode: 3,
        message: expect.stringContaining(`${file}: mmm.commit is "maybe"`),
      });
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("require a commit of those that carry out a spec, and of no other", () => {
    const required = [...commands].filter(([, command]) => command.rules.commit === "required");
    const consuming = [...commands].filter(([, command]) => command.rules.consumes === "spec");

    expect(required.map(([name]) => name)).toEqual(["mmm-implement-spec", "mmm-write-tests"]);
    expect(consuming.map(([name]) => name)).toEqual(["mmm-implement-spec", "mmm-write-tests"]);
  });
});
