/** The texts of the Claude commands that come with this package, unread: nothing of the YAML reader is loaded for them. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";

export interface ShippedText {
  /** Absolute path of the file in the package. */
  readonly path: string;
  readonly text: string;
}

/**
 * Name (`mmm-lint`, no slash) to file, in the order of names.
 *
 * @param packageRoot absolute path of the installed package: the folder above `dist/`
 * @throws MmmError `package-damaged` when the package has no commands, or one without an `mmm:` block
 */
export async function shippedTexts(packageRoot: string): Promise<ReadonlyMap<string, ShippedText>> {
  const folder = path.join(packageRoot, "commands");
  const entries = await readdir(folder).catch(() => []);
  const files = entries.filter((file) => /^mmm-[a-z0-9-]+\.md$/u.test(file));
  const names = files.map((file) => file.slice(0, -".md".length)).sort();
  if (names.length === 0) throw damagedPackage(`there are no commands in ${folder}`);
  const commands = await Promise.all(
    names.map(async (name) => {
      const place = path.join(folder, `${name}.md`);
      const text = await readFile(place, "utf8");
      const [, front = ""] = /^---\n([^]*?)^---\n/mu.exec(text) ?? [];
      if (!/^mmm:/mu.test(front)) throw damagedPackage(`${place}: it has no \`mmm:\` block`);
      return [name, { path: place, text }] as const;
    }),
  );
  return new Map(commands);
}

export function damagedPackage(what: string): MmmError {
  return new MmmError("package-damaged", 3, {
    message: `this installation of mmm is damaged: ${what}`,
    next: ["npm install -g mmm-cook"],
  });
}
