/** The Claude commands that come with this package. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { readCommandRules } from "../claude/command-rules.ts";
import type { CommandRules } from "../playbook/plan-model.ts";
import { MmmError } from "../errors.ts";

export interface ShippedCommand {
  /** Absolute path of the file in the package. */
  readonly path: string;
  readonly text: string;
  readonly rules: CommandRules;
}

/**
 * Name (`mmm-lint`, no slash) to command, in the order of names.
 *
 * @param packageRoot absolute path of the installed package: the folder above `dist/`
 * @throws MmmError `package-damaged` when the package has no commands, or one without a good `mmm:` block
 */
export async function shippedCommands(
  packageRoot: string,
): Promise<ReadonlyMap<string, ShippedCommand>> {
  const folder = path.join(packageRoot, "commands");
  const entries = await readdir(folder).catch(() => []);
  const files = entries.filter((file) => /^mmm-[a-z0-9-]+\.md$/u.test(file));
  const names = files.map((file) => file.slice(0, -".md".length)).sort();
  if (names.length === 0) throw damaged(`there are no commands in ${folder}`);
  const commands = await Promise.all(
    names.map(async (name) => {
      const place = path.join(folder, `${name}.md`);
      const text = await readFile(place, "utf8");
      const { rules, problems } = readCommandRules(text);
      if (rules === null || problems.length > 0) {
        throw damaged(`${place}: ${problems[0] ?? "it has no `mmm:` block"}`);
      }
      return [name, { path: place, text, rules }] as const;
    }),
  );
  return new Map(commands);
}

function damaged(what: string): MmmError {
  return new MmmError("package-damaged", 3, {
    message: `this installation of mmm is damaged: ${what}`,
    next: ["npm install -g mmm-cook"],
  });
}
