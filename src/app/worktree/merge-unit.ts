import { readdir } from "node:fs/promises";
import path from "node:path";

/** Files of an earlier merge of the session are evidence, and stay. */
export async function nextMerge(directory: string): Promise<number> {
  const folders = ["logs", "claude"].map((name) => path.join(directory, name));
  const names = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  const numbers = names.flat().map((name) => Number(/^merge-(\d{1,9})-/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers) + 1;
}
