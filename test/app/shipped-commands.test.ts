import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { shippedCommands, type ShippedCommand } from "../../src/app/shipped-commands.ts";

const packageRoot = path.join(import.meta.dirname, "../..");
const commands = await shippedCommands(packageRoot);

/** What playbooks and the engine count on: the file a review leaves, and the commit subject. */
const promises: Readonly<Record<string, { spec: string | null; subject: string }>> = {
  "mmm-analyze-coverage": { spec: "coverage", subject: "test: generate coverage improvement spec" },
  "mmm-analyze-results": { spec: "results", subject: "perf: generate optimization spec" },
  "mmm-cleanup-tech-debt": {
    spec: "tech-debt-cleanup",
    subject: "cleanup: generate tech debt cleanup spec for iteration-<ts>-tech-debt-cleanup",
  },
  "mmm-code-review": {
    spec: "improvements",
    subject: "review: generate improvement spec for iteration-<ts>-improvements",
  },
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
  "mmm-merge-worktree": { spec: null, subject: "Merge branch '<branch>'" },
  "mmm-performance": { spec: "performance", subject: "perf: generate optimization spec for" },
  "mmm-product-enhance": {
    spec: "product-enhancements",
    subject: "product: enhance <focus> for iteration-<ts>",
  },
  "mmm-security-audit": { spec: "security", subject: "security: audit spec for <focus>" },
  "mmm-test-generate": { spec: "tests", subject: "test: generate test spec for <target>" },
  "mmm-write-tests": { spec: null, subject: "test: add tests from spec" },
};

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
      for (const word of ["$MMM_CONTEXT_DIR", "$MMM_CONTEXT_AVAILABLE", ".mmm/PROJECT.md"]) {
        expect(text).toContain(word);
      }
      expect(text).toContain("MMM_AUTOMATION=true");
      expect(text).toMatch(/no attribution/u);
    });

    it("promises the spec's file and the commit's subject that playbooks count on", () => {
      const promised = promises[name];
      const file = /`specs\/temp\/iteration-<ts>-([a-z-]+)\.md`/u.exec(text)?.[1] ?? null;

      expect(file).toBe(promised?.spec);
      expect(text).toContain(`\`${promised?.subject}`);
      expect(command.rules.produces).toBe(promised?.spec === null ? null : "spec");
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

  it("require a commit of those that carry out a spec, and of no other", () => {
    const required = [...commands].filter(([, command]) => command.rules.commit === "required");
    const consuming = [...commands].filter(([, command]) => command.rules.consumes === "spec");

    expect(required.map(([name]) => name)).toEqual(["mmm-implement-spec", "mmm-write-tests"]);
    expect(consuming.map(([name]) => name)).toEqual(["mmm-implement-spec", "mmm-write-tests"]);
  });
});
