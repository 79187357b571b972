import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { planCondition } from "../../src/playbook/plan-condition.ts";
import { planRead } from "../../src/playbook/plan-read.ts";
import { renderDiagnostics } from "../../src/playbook/print.ts";
import { readPlaybook } from "../../src/playbook/read.ts";

/**
 * Each `NAME.yml` (or `.json`) of the folder is a wrong playbook, `NAME.txt` the whole of what is said
 * about it, by the reader or, for a playbook it can read, by the plan. A first line `# --args` or `# --map`
 * gives one such input. `UPDATE_GOLDEN=1` writes the pictures: look at the diff.
 */
const folder = join(import.meta.dirname, "golden");
const files = readdirSync(folder).filter((name) => !name.endsWith(".txt"));

function readGolden(name: string) {
  const bytes = readFileSync(join(folder, name));
  const read = readPlaybook(name, bytes);
  const input = /^# --(args|map)\n/.exec(bytes.toString("utf8"))?.[1];
  const planned = planRead(read, {
    inputs: { count: input === undefined ? 0 : 1, allHaveFiles: input !== "args" },
    maxIterations: null,
    environment: { HOME: "/home/me" },
    claude: { above: {}, below: {} },
    commandRules: new Map(),
    conditions: planCondition,
  });
  return { source: read.source, ...planned };
}

describe("wrong playbooks look as in test/playbook/golden (spec 2)", () => {
  test.each(files)("%s", (name) => {
    const { source, diagnostics } = readGolden(name);
    const picture = renderDiagnostics(source, diagnostics);

    const path = join(folder, name.replace(/\.\w+$/, ".txt"));
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, picture);

    expect(existsSync(path), `${path} is missing: run with UPDATE_GOLDEN=1`).toBe(true);
    expect(picture).toBe(readFileSync(path, "utf8"));
  });

  test("there are at least 40, each with an error, which yields nothing to run", () => {
    const errors = files.filter((name) => {
      const { plan, diagnostics } = readGolden(name);
      return plan === null && diagnostics.some(({ severity }) => severity === "error");
    });

    expect(files.length).toBeGreaterThanOrEqual(40);
    expect(errors).toEqual(files);
  });
});
