/** Outputs that a command's own file explains (spec 9.2). */
import { afterEach, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen | null = null;

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

const COMMAND = `---
description: Rate
mmm:
  commit: optional
  outputs:
    score: { capture: json, path: "$.score" }
---
Rate $ARGUMENTS
`;

test("a step names outputs, its command says how they are read; conditions, texts and shell use them", async () => {
  kitchen = await openKitchen([
    { prompt: "/rate", text: 'A word.\n\n```json\n{"score": 72}\n```' },
    { prompt: "/fix", text: "done" },
  ]);
  const { cook, repo, prompts } = kitchen;
  await repo.write(".claude/commands/rate.md", COMMAND);
  await repo.write(".claude/commands/fix.md", "Fix $ARGUMENTS");

  const { code, stdout } = await cook(
    `
- claude: "/rate all"
  id: health
  outputs: [score]
- claude: "/fix from \${health.score}"
  condition: "score < 80"
- claude: "/fix never"
  condition: "score >= 80"
- shell: "echo score \${score}"
  outputs: {said: {capture: text}}
- shell: 'test "\${said}" = "score 72"'
`,
    ["-n", "1"],
  );

  expect(stdout).toContain("completed");
  expect(code).toBe(0);
  expect(await prompts()).toEqual(["/rate all", "/fix from 72"]);
});

test("an answer without the JSON fails the step, as with a rule of the playbook's own", async () => {
  kitchen = await openKitchen([{ prompt: "/rate", text: "no figures today" }]);
  await kitchen.repo.write(".claude/commands/rate.md", COMMAND);

  const { code, stderr } = await kitchen.cook(`- {claude: "/rate", outputs: [score]}`);

  expect(code).toBe(1);
  expect(stderr).toContain("output score:");
});

test("an output that the command does not declare is refused before anything is paid for", async () => {
  kitchen = await openKitchen();
  const { cook, mmm, repo, prompts } = kitchen;
  await repo.write(".claude/commands/rate.md", COMMAND);

  const { code, stderr } = await cook(`- {claude: "/rate", outputs: [scor]}`);
  const checked = await mmm(["validate", "pb.yml"]);

  expect(code).toBe(2);
  expect(stderr).toContain("pb.yml:1:31 undeclared-output /rate declares no output scor");
  expect(stderr).toContain("did you mean `score`?");
  expect(checked.stdout).toContain("undeclared-output");
  expect(checked.code).toBe(0);
  expect(await prompts()).toEqual([]);
});

test("a wrong block is told by validate, at the call, and by doctor", async () => {
  kitchen = await openKitchen();
  const { mmm, repo } = kitchen;
  await repo.write(".claude/commands/rate.md", COMMAND.replace("capture: json", "capture: jsn"));
  await repo.write("pb.yml", `- claude: "/rate"\n`);

  const checked = await mmm(["validate", "pb.yml"]);
  const doctor = await mmm(["doctor"]);

  expect(checked.stdout).toMatch(
    /pb\.yml:1:11 command-block .*rate\.md: mmm\.outputs: .*one of text/,
  );
  expect(checked.code).toBe(0);
  expect(doctor.stdout).toMatch(/warning +commands +.*rate\.md: mmm\.outputs/);
});
