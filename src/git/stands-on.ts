/** Which branch is checked out in a tree at this moment. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { pinnedArgs, pinnedEnvironment } from "./environment.ts";
import type { RepositoryStart } from "./repository.ts";
import { runGit } from "./run.ts";

/** Its short name; `null`: a detached HEAD. Most often without a process. */
export async function branchOf(
  tree: Pick<RepositoryStart, "root" | "gitDir" | "env">,
): Promise<string | null> {
  const text = await readFile(path.join(tree.gitDir, "HEAD"), "utf8").catch(() => "");
  const name = /^ref: refs\/heads\/(.+)\n$/u.exec(text)?.[1];
  // A reftable writes what is no name into that file.
  if (name !== undefined && name !== ".invalid") return name;
  const args = [...pinnedArgs, "symbolic-ref", "--quiet", "--short", "HEAD"];
  const result = await runGit({ cwd: tree.root, env: pinnedEnvironment(tree.env, tree), args });
  return result.code === 0 ? result.stdout.toString("utf8").trimEnd() : null;
}
