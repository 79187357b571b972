/** docs/commands.md has what the shipped files say, and README names all of them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { globSync } from "tinyglobby";
import { expect, it } from "vitest";
import { shippedCommands } from "../../src/app/shipped-commands.ts";
import { commandOf, everyStep } from "../../src/playbook/plan-steps.ts";
import { readPlaybook } from "../../src/playbook/read.ts";
import { packageRoot } from "../support/run-cli.ts";
import { code, read, tablesOf } from "./blocks.ts";

const rowsOf = (mark: string): readonly (readonly string[])[] =>
  tablesOf("docs/commands.md").find((table) => table.mark === mark)?.rows ?? [];

it("the page has every shipped command, with its description, argument, outputs and subjects", async () => {
  const shipped = await shippedCommands(packageRoot);

  const rows = rowsOf("commands");

  expect(rows.map(([name]) => code(name))).toEqual([...shipped.keys()].map((name) => `/${name}`));
  for (const [name, description = "", argument, leaves = "", subjects = ""] of rows) {
    const command = shipped.get(code(name).slice(1));
    expect(command?.text).toContain(`\ndescription: ${description}\n`);
    expect(command?.text).toContain(`\nargument-hint: "${code(argument)}"\n`);
    const printed = (command?.rules.outputs ?? []).map((output) => `\`${output.name}\``).join(", ");
    expect(/prints (.+)$/u.exec(leaves)?.[1] ?? "").toBe(printed);
    for (const subject of subjects.split("<br>").filter((each) => each !== ""))
      expect(command?.text).toContain(subject);
    expect(subjects === "").toBe(command?.text.includes("None: nothing is staged"));
    const file = /`(specs\/[^`]+)`/u.exec(leaves)?.[1] ?? "";
    expect(command?.text).toContain(file);
    expect(file === "").toBe(command?.rules.produces === null);
  }
});

it("the page has every shipped playbook, with its description, commands and bound", () => {
  const rows = rowsOf("playbooks");

  const names = globSync("examples/*.yml", { cwd: packageRoot }).map((file) =>
    path.basename(file, ".yml"),
  );
  expect(rows.map(([link]) => /^\[`([\w-]+)`\]/u.exec(link ?? "")?.[1])).toEqual(names.toSorted());
  for (const [link = "", description = "", commands = "", bound] of rows) {
    const file = /\(\.\.\/(.+)\)$/u.exec(link)?.[1] ?? "";
    const { playbook } = readPlaybook(file, readFileSync(path.join(packageRoot, file)));
    if (playbook?.description !== null) expect(playbook?.description).toBe(description);
    const called = [...everyStep(playbook?.steps ?? [])].flatMap((step) =>
      step.kind === "claude" ? (commandOf(step) ?? []) : [],
    );
    expect(
      commands
        .split(" ")
        .map((each) => `mmm-${code(each)}`)
        .toSorted(),
    ).toEqual([...new Set(called)].toSorted());
    expect(bound).toBe(String(playbook?.maxIterations ?? 10));
  }
});

it("README names every command and playbook", async () => {
  const readme = read("README.md");
  const shipped = await shippedCommands(packageRoot);

  for (const name of shipped.keys()) expect(readme).toContain(`\`${name.replace("mmm-", "")}\``);
});
