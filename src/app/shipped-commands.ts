/** The Claude commands that come with this package, with what their `mmm:` blocks say. */
import { readCommandRules } from "../claude/command-rules.ts";
import type { CommandRules } from "../playbook/plan-model.ts";
import {
  damagedPackage,
  shippedFiles,
  shippedText,
  shippedTexts,
  type ShippedText,
} from "./shipped-texts.ts";

export interface ShippedCommand extends ShippedText {
  readonly rules: CommandRules;
}

/**
 * As {@link shippedTexts}.
 *
 * @throws MmmError `package-damaged`, as there, and for a block with something wrong in it
 */
export async function shippedCommands(
  packageRoot: string,
): Promise<ReadonlyMap<string, ShippedCommand>> {
  const texts = await shippedTexts(packageRoot);
  return new Map(
    [...texts].map(([name, shipped]) => [name, { ...shipped, rules: rulesIn(shipped) }] as const),
  );
}

/**
 * The names of all, and what the called ones say; the files of the others, `null` here, are not read.
 *
 * @throws MmmError as {@link shippedCommands}
 */
export async function shippedRules(
  packageRoot: string,
  called: ReadonlySet<string>,
): Promise<ReadonlyMap<string, CommandRules | null>> {
  const rules = new Map<string, CommandRules | null>();
  for (const [name, path] of await shippedFiles(packageRoot))
    rules.set(name, called.has(name) ? rulesIn({ path, text: await shippedText(path) }) : null);
  return rules;
}

function rulesIn({ path, text }: ShippedText): CommandRules {
  const { rules, problems } = readCommandRules(text);
  if (rules === null || problems.length > 0)
    throw damagedPackage(`${path}: ${problems[0] ?? "it has no `mmm:` block"}`);
  return rules;
}
