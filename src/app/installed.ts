/** `.mmm/installed.json`: what `mmm init` has put where, so that a newer mmm knows what nobody has touched since. */
import { createHash } from "node:crypto";
import { asObject, parseJson } from "../lib/json.ts";

export const INSTALLED_FILE = ".mmm/installed.json";

/** Path relative to the repository, to the {@link fingerprint} of what was installed there. */
export type Installed = ReadonlyMap<string, string>;

/** Line ends do not count: git may have changed them on the way to another machine. */
export function fingerprint(text: string): string {
  return createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex");
}

/** Empty for a text that is not of this form: then nothing is known, and what differs is kept. */
export function readInstalled(text: string | null): Installed {
  const value = asObject(text === null ? null : parseJson(text));
  const files = value?.["version"] === 1 ? asObject(value["files"]) : null;
  return new Map(
    Object.entries(files ?? {}).flatMap(([file, hash]) =>
      typeof hash === "string" ? [[file, hash] as const] : [],
    ),
  );
}

/** Sorted by path, a line each, so that two branches merge. */
export function renderInstalled(installed: Installed): string {
  const files = Object.fromEntries([...installed].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ version: 1, files }, null, 2)}\n`;
}
