import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { OWN_STATE_LINES } from "../engine/own-state.ts";

/**
 * Keeps mmm's own state out of `git status` (spec 7): adds the lines that are missing to `info/exclude`.
 *
 * @param commonDir the git directory that all worktrees share
 */
export async function excludeOwnState(commonDir: string): Promise<void> {
  const folder = join(commonDir, "info");
  const file = join(folder, "exclude");
  await mkdir(folder, { recursive: true });
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw cause;
  });
  const known = new Set(text.split("\n").map((line) => line.trim()));
  const missing = OWN_STATE_LINES.filter((line) => !known.has(line));
  if (missing.length === 0) return;
  const start = text === "" || text.endsWith("\n") ? "" : "\n";
  await appendFile(file, `${start}${missing.join("\n")}\n`);
}
