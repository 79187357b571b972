import { lstatSync } from "node:fs";
import type { TreeChange } from "../engine/ports.ts";
import { absolutePath, showPath } from "./path.ts";

/** What must not be swept into a commit (spec 5). */
export interface Sweep {
  readonly reasons: readonly string[];
  /** For `.gitignore`, a line each. */
  readonly ignoreLines: readonly string[];
}

const maxNewFiles = 1000;
const maxBytes = 20 * 1024 * 1024;
const maxListed = 20;

/** Folders of generated files under their usual names: better ignored as such, wherever they lie. */
const generated = new Set([
  "node_modules",
  "target",
  "dist",
  "build",
  "out",
  ".venv",
  "venv",
  "__pycache__",
  ".next",
  "coverage",
  ".cache",
]);

/** `null`: all of it may be committed. Only files that git does not know yet are judged. */
export function findSwept(root: string, changes: readonly TreeChange[]): Sweep | null {
  const reasons: string[] = [];
  const ignoreLines = new Set<string>();
  const added = changes.filter((change) => change.kind === "added").map((change) => change.path);
  const tell = (paths: readonly string[], why: (path: string) => string): void => {
    for (const path of paths.slice(0, maxListed)) reasons.push(why(path));
    if (paths.length > maxListed) reasons.push(`and ${paths.length - maxListed} more like that`);
  };
  if (added.length > maxNewFiles) {
    const some = added.slice(0, 3).map(showPath).join(", ");
    reasons.push(`${added.length} new files, more than ${maxNewFiles}, such as ${some}`);
    for (const line of commonFolders(added)) ignoreLines.add(line);
  }
  const secret = added.filter(looksSecret);
  tell(secret, (path) => `${showPath(path)} has the name of a secret`);
  for (const path of secret.slice(0, maxListed)) ignoreLines.add(ignoreLine(path));
  const big = added.filter((path) => bytes(root, path) > maxBytes);
  tell(big, (path) => `${showPath(path)} is ${megabytes(bytes(root, path))} MB, more than 20 MB`);
  for (const path of big.slice(0, maxListed)) ignoreLines.add(ignoreLine(path));
  const nested = changes
    .filter((change) => change.kind === "nested-repository")
    .map((change) => change.path);
  tell(nested, (path) => `${showPath(path)} is a git repository of its own`);
  for (const path of nested.slice(0, maxListed)) ignoreLines.add(`${ignoreLine(path)}/`);
  return reasons.length === 0 ? null : { reasons, ignoreLines: [...ignoreLines] };
}

function looksSecret(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  if (name.startsWith(".env")) return !/\.(?:example|sample|template)$/u.test(name);
  if (/^id_(?:rsa|dsa|ecdsa|ed25519)/u.test(name)) return !name.endsWith(".pub");
  return /\.(?:pem|p12|pfx)$/u.test(name) || name === ".netrc" || name === ".pgpass";
}

function bytes(root: string, path: string): number {
  try {
    const stat = lstatSync(absolutePath(root, path));
    return stat.isFile() ? stat.size : 0;
  } catch {
    return 0; // gone since the look
  }
}

function megabytes(count: number): number {
  return Math.ceil(count / (1024 * 1024));
}

/** A line that matches this path alone; what `.gitignore` gives a meaning is escaped. */
function ignoreLine(path: string): string {
  return `/${path.replace(/[\\*?[\]]/gu, "\\$&").replace(/ $/u, "\\ ")}`;
}

/** The folders most of the files lie in. */
function commonFolders(paths: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    const known = parts.find((part) => generated.has(part));
    const line = known === undefined ? parts[0] && `${ignoreLine(parts[0])}/` : `${known}/`;
    if (line !== undefined) counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count >= 100)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 5)
    .map(([line]) => line);
}
