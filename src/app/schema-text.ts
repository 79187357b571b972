/** The JSON Schema of playbooks as a text. */
import { readFile } from "node:fs/promises";
import path from "node:path";

/**
 * As the build of this package has made it, beside its code: to make it again takes longer than all else that
 * `mmm init` does. Made here when mmm runs from its sources.
 *
 * @param packageRoot absolute path of the installed package: the folder above `dist/`
 */
export async function schemaText(packageRoot: string): Promise<string> {
  const built = path.join(packageRoot, "dist", "playbook.schema.json");
  const text = await readFile(built, "utf8").catch(() => null);
  if (text !== null) return text;
  const { playbookSchema } = await import("../playbook/json-schema.ts");
  return `${JSON.stringify(playbookSchema(), null, 2)}\n`;
}
