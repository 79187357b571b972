import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveCommands, type CommandSearch } from "../../src/claude/commands.ts";
import { commandName } from "../../src/playbook/plan-steps.ts";
import { readCommandRules } from "../../src/claude/command-rules.ts";
import type { CommandRules } from "../../src/playbook/plan-model.ts";

let top: string;
let search: CommandSearch;
const specRules: CommandRules = { commit: "required", produces: "spec", consumes: null };

beforeEach(async () => {
  top = await fs.mkdtemp(path.join(os.tmpdir(), "mmm-commands-"));
  search = {
    cwd: path.join(top, "home/repo/sub"),
    root: path.join(top, "home/repo"),
    home: path.join(top, "home"),
    shipped: new Map([
      ["mmm-code-review", specRules],
      ["mmm-lint", null],
    ]),
  };
  await fs.mkdir(search.cwd, { recursive: true });
});
afterEach(() => fs.rm(top, { recursive: true, force: true }));

async function put(file: string, text = "Do it.\n"): Promise<string> {
  const full = path.join(top, "home", file);
  await fs.mkdir(path.dirname(full), { recursive: true });
  await fs.writeFile(full, text);
  return full;
}

test.each([
  ["/mmm-lint --fix", "mmm-lint"],
  ["/a:b\nmore", "a:b"],
  ["please run /x", null],
  [" /x", null],
  ["\n/x", null],
  ["/usr/bin/x is broken", null],
  ["/", null],
])("the command of %j is %j (6.3)", (prompt, name) => {
  expect(commandName(prompt)).toBe(name);
});

test("commands and skills are found in the tree, its parents and home (6.3)", async () => {
  const files = {
    near: await put("repo/sub/.claude/commands/near.md"),
    "deep:er:one": await put("repo/.claude/commands/deep/er/one.md"),
    skill: await put("repo/.claude/skills/skill/SKILL.md"),
    own: await put(".claude/commands/own.md"),
  };

  const { found, problems } = await resolveCommands(Object.keys(files), search);

  expect(problems).toEqual([]);
  expect(Object.fromEntries([...found].map(([name, { path }]) => [name, path]))).toEqual(files);
});

test("folders above the repository are not searched, as Claude does not (6.3)", async () => {
  await fs.mkdir(path.join(top, ".claude/commands"), { recursive: true });
  await fs.writeFile(path.join(top, ".claude/commands/above.md"), "x");

  const { problems } = await resolveCommands(["above"], { ...search, home: path.join(top, "x") });

  expect(problems).toMatchObject([{ name: "above", kind: "unknown" }]);
});

test("the home's command wins over the project's, with a word; a skill wins over both (6.3)", async () => {
  const home = await put(".claude/commands/x.md");
  const project = await put("repo/.claude/commands/x.md");
  const command = await put("repo/.claude/commands/y.md");
  const skill = await put("repo/.claude/skills/y/SKILL.md");

  const { found, warnings } = await resolveCommands(["x", "y"], search);

  expect(found.get("x")?.path).toBe(home);
  expect(found.get("y")?.path).toBe(skill);
  expect(warnings).toEqual([`/x: ${home} shadows ${project}`, `/y: ${skill} shadows ${command}`]);
});

test("CLAUDE_CONFIG_DIR stands for ~/.claude (6.3)", async () => {
  await put(".claude/commands/x.md");
  const other = await put("other/commands/x.md");

  const { found } = await resolveCommands(["x"], {
    ...search,
    configDirectory: path.join(top, "home/other"),
  });

  expect(found.get("x")?.path).toBe(other);
});

test("broken links, folders called x.md and folders in a circle do no harm", async () => {
  await put("repo/.claude/commands/ok.md");
  await fs.symlink("/nowhere", path.join(search.root, ".claude/commands/gone.md"));
  await fs.mkdir(path.join(search.root, ".claude/commands/folder.md"));
  await fs.symlink(".", path.join(search.root, ".claude/commands/round"));

  const { found, problems } = await resolveCommands(["ok", "gone", "folder"], search);

  expect([...found.keys()]).toEqual(["ok"]);
  expect(problems.map((problem) => problem.name)).toEqual(["gone", "folder"]);
});

test("a shipped command that is not installed names mmm init (6.3)", async () => {
  const { problems } = await resolveCommands(["mmm-lint"], search);

  expect(problems).toMatchObject([
    { name: "mmm-lint", kind: "unknown-mmm", nearest: "mmm-lint", next: ["mmm init installs it"] },
  ]);
});

const init = "mmm init installs the mmm-* commands";

test.each([
  ["mmm-wonder", "unknown-mmm"],
  ["mmm-lnit", "unknown-mmm"],
  ["depoly", "near"],
  ["deplyo", "near"],
  ["deployment", "unknown"],
  ["depxyz", "unknown"],
  ["qa", "unknown"],
])("/%s is %s (6.3)", async (name, kind) => {
  await put("repo/.claude/commands/deploy.md");
  await put("repo/.claude/commands/pr.md");

  const { problems } = await resolveCommands([name], search);

  expect(problems).toMatchObject([{ name, kind }]);
  if (kind === "near") expect(problems[0]?.next[0]).toBe("did you mean /deploy?");
  if (name === "mmm-wonder") expect(problems[0]?.next[0]).toBe(init);
  if (name === "mmm-lnit") expect(problems[0]?.next[0]).toBe("did you mean /mmm-lint?");
});

test("built-in commands are known, and suggest nothing (6.3)", async () => {
  const { found, problems } = await resolveCommands(["review", "compact", "lint"], search);

  expect([...found.keys()]).toEqual(["review", "compact"]);
  expect(problems).toMatchObject([{ name: "lint", kind: "unknown" }]);
});

test("the installed file's rules count, else those of the shipped one (9.2)", async () => {
  await put("repo/.claude/commands/mine.md", "---\nmmm: {commit: optional}\n---\nx");
  await put("repo/.claude/commands/mmm-code-review.md", "---\ndescription: old\n---\nx");

  const { found } = await resolveCommands(["mine", "mmm-code-review"], search);

  expect(found.get("mine")?.rules).toEqual({ commit: "optional", produces: null, consumes: null });
  expect(found.get("mmm-code-review")?.rules).toEqual(specRules);
});

test("an installed block beats the shipped one, also when it says less (9.2)", async () => {
  await put("repo/.claude/commands/mmm-code-review.md", "---\nmmm: {commit: optional}\n---\nx");

  const { found } = await resolveCommands(["mmm-code-review"], search);

  expect(found.get("mmm-code-review")?.rules).toEqual({
    commit: "optional",
    produces: null,
    consumes: null,
  });
});

test.each([
  ["no frontmatter", "Just text\n---\nmmm: {commit: required}\n---\n", 0],
  ["broken YAML", "---\nmmm: {commit: [\n---\nx", 1],
  ["an unresolved alias", "---\nmmm: *nope\n---\nx", 1],
  ["a block that is no mapping", "---\nmmm: yes\n---\nx", 1],
  ["no block", "---\nallowed-tools: Bash\n---\nx", 0],
  ["an empty file", "", 0],
])("%s gives no rules and never throws (9.2)", (_, text, problems) => {
  const read = readCommandRules(text);

  expect(read.rules).toBeNull();
  expect(read.problems).toHaveLength(problems);
});

test("wrong values and unknown keys of the block are told and left out (9.2)", () => {
  const read = readCommandRules(
    "---\r\nmmm:\r\n  commit: yes\r\n  produces: spec\r\n  eats: all\r\n---\r\n",
  );

  expect(read.rules).toEqual({ commit: null, produces: "spec", consumes: null });
  expect(read.problems).toEqual([
    'mmm.commit is "yes"; it can be required or optional',
    "mmm.eats is not known; known are commit, produces, consumes, outputs",
  ]);
});

test("a wrong block is warned about with the file's path", async () => {
  const file = await put("repo/.claude/commands/mine.md", "---\nmmm: {eats: all}\n---\nx");

  const { warnings } = await resolveCommands(["mine"], search);

  expect(warnings).toEqual([
    `${file}: mmm.eats is not known; known are commit, produces, consumes, outputs`,
  ]);
});

test("outputs of the block are read by the rules of a playbook's own (9.2)", () => {
  const { rules, problems } = readCommandRules(
    `---
description: x
mmm:
  outputs:
    score: { capture: json, path: "$.score", default: 0 }
    report: { file_pattern: "reports/*.md" }
---
`,
  );

  expect(problems).toEqual([]);
  expect(rules?.outputs).toEqual([
    {
      name: "score",
      rule: { kind: "capture", capture: "json", from: "stdout", path: "$.score", default: 0 },
    },
    { name: "report", rule: { kind: "file", pattern: "reports/*.md", all: false } },
  ]);
});

test.each([
  ["outputs: {a: {capture: poem}}", /^mmm\.outputs: .*one of text lines json/],
  ["outputs: {a: {capture: text, patern: x}}", /^mmm\.outputs: .*patern.*did you mean `pattern`\?/],
  ["outputs: {a: {}}", /^mmm\.outputs: `outputs\.a` says not what it is/],
  ["outputs: {exit_code: {capture: text}}", /^mmm\.outputs: an output cannot be called/],
  ["outputs: {a: {capture: text, pattern: '/(/'}}", /^mmm\.outputs: `pattern` is no pattern/],
  ["outputs: [a, b]", /^mmm\.outputs is no mapping/],
  ["outputs: 3", /^mmm\.outputs is no mapping/],
  ["outputs: {a: {capture: text}, <<: {}}", /^mmm\.outputs: /],
])("wrong outputs of the block are told: %s (9.2)", (block, expected) => {
  const { rules, problems } = readCommandRules(`---\nmmm:\n  commit: optional\n  ${block}\n---\n`);

  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(expected);
  expect(rules?.commit).toBe("optional");
});
