/** The Claude commands that come with this package, with what their `mmm:` blocks say. */
import { readCommandRules } from "../claude/command-rules.ts";
import type { CommandRules } from "../playbook/plan-model.ts";
import { damagedPackage, shippedTexts, type ShippedText } from "./shipped-texts.ts";

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
    [...texts].map(([name, shipped]) => {
      const { rules, problems } = readCommandRules(shipped.text);
      if (rules === null || problems.length > 0) {
        throw damagedPackage(`${shipped.path}: ${problems[0] ?? "it has no `mmm:` block"}`);
      }
      return [name, { ...shipped, rules }] as const;
    }),
  );
}
