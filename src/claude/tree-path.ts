/** Paths of a recording: data, so they may name nothing outside the tree (spec 0, promise 4). */
import * as fs from "node:fs/promises";
import * as path from "node:path";

/** Says why `value` is no path inside a working tree, links aside; `null`: it is one. */
export function whyNotInTree(value: string): string | null {
  if (value === "" || value.includes("\0")) return "the path is empty or holds a NUL byte";
  const shown = JSON.stringify(value);
  if (value.startsWith("/") || value.includes("\\") || /^[a-z]:/i.test(value))
    return `the path ${shown} is not relative with / between folders`;
  const parts = value.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".."))
    return `the path ${shown} leaves the tree or is not in its shortest form`;
  if (parts.some(isDotGit)) return `the path ${shown} is inside .git`;
  return null;
}

/** Also for file systems that do not tell case apart (NTFS, HFS+) or drop parts of a name. */
function isDotGit(part: string): boolean {
  const bare = part.replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "");
  return /^\.git[. ]*(:|$)/i.test(bare) || /^git~\d+$/i.test(bare);
}

/** The absolute path, when no folder on the way to it is a link. @returns a reason otherwise */
export async function resolveInTree(
  root: string,
  relative: string,
): Promise<{ readonly full: string } | { readonly trouble: string }> {
  const trouble = whyNotInTree(relative);
  if (trouble !== null) return { trouble };
  const parts = relative.split("/");
  for (let n = 1; n < parts.length; n += 1) {
    const folder = path.join(root, ...parts.slice(0, n));
    const stat = await fs.lstat(folder).catch(() => null);
    if (stat === null) break;
    if (stat.isSymbolicLink())
      return {
        trouble: `the path ${JSON.stringify(relative)} goes through the link ${parts.slice(0, n).join("/")}`,
      };
    if (!stat.isDirectory())
      return {
        trouble: `the path ${JSON.stringify(relative)} goes through ${parts.slice(0, n).join("/")}, which is no folder`,
      };
  }
  return { full: path.join(root, ...parts) };
}

/** Does a link at `relative` with this target stay inside the tree? */
export function linkStaysInside(relative: string, target: string): boolean {
  if (target === "" || target.includes("\0") || path.posix.isAbsolute(target)) return false;
  const joined = path.posix.join(path.posix.dirname(relative), target);
  return joined === "." || whyNotInTree(joined.replace(/\/$/, "")) === null;
}
