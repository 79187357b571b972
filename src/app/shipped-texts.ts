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
 * Name (`mmm-lint`, no slash) to the path of its file, in the order of names.
 *
 * @param packageRoot absolute path of the installed package: the folder above `dist/`
 * @throws MmmError `package-damaged` when the package has no commands
 */
export async function shippedFiles(packageRoot: string): Promise<ReadonlyMap<string, string>> {
  const folder = path.join(packageRoot, "commands");
  const entries = await readdir(folder).catch(() => []);
  const files = entries.filter((file) => /^mmm-[a-z0-9-]+\.md$/u.test(file));
  const names = files.map((file) => file.slice(0, -".md".length)).sort();
  if (names.length === 0) throw damagedPackage(`there are no commands in ${folder}`);
  return new Map(names.map((name) => [name, path.join(folder, `${name}.md`)]));
}

/**
 * As {@link shippedFiles}, with what is in them.
 *
 * @throws MmmError `package-damaged` for one without an `mmm:` block too
 */
export async function shippedTexts(packageRoot: string): Promise<ReadonlyMap<string, ShippedText>> {
  const commands = [...(await shippedFiles(packageRoot))].map(
    async ([name, place]) => [name, { path: place, text: await shippedText(place) }] as const,
  );
  return new Map(await Promise.all(commands));
}

/** @throws MmmError `package-damaged` when it has no `mmm:` block */
export async function shippedText(place: string): Promise<string> {
  const text = await readFile(place, "utf8");
  const [, front = ""] = /^---\n([^]*?)^---\n/mu.exec(text) ?? [];
  if (!/^mmm:/mu.test(front)) throw damagedPackage(`${place}: it has no \`mmm:\` block`);
  return text;
}

export function damagedPackage(what: string): MmmError {
  return new MmmError("package-damaged", 3, {
    message: `this installation of mmm is damaged: ${what}`,
    next: ["npm install -g mmm-cook"],
  });
}
