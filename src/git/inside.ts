import { realpath, stat } from "node:fs/promises";
import { resolve, sep } from "node:path";

/** Real path of `path` (relative to `root`) when it exists and lies in `root`, symlinks followed; else `null`. */
export async function realInside(root: string, path: string): Promise<string | null> {
  if (path.includes("\0")) return null;
  try {
    const real = await realpath(resolve(root, path));
    return real === root || real.startsWith(root + sep) ? real : null;
  } catch {
    return null; // missing, dangling, a loop, or a file on the way
  }
}

export async function realDirectoryInside(root: string, path: string): Promise<string | null> {
  const real = await realInside(root, path);
  return real !== null && (await stat(real)).isDirectory() ? real : null;
}
