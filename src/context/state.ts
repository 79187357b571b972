/** Whether a saved context still fits: one text that changes when anything changes that the context is made of. */
import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { gitRecords } from "./git-facts.ts";
import type { ProjectCommands } from "../engine/ports.ts";

export interface TreeState {
  /** Full name of HEAD's commit; `null`: no commit yet. */
  readonly head: string | null;
  /** Of HEAD, the changes to tracked files, and the given commands; 64 letters. */
  readonly key: string;
}

/** Raised when the same repository would give another context. */
const format = 2;

/** More changed files than that are told apart by name alone. */
const maxDirty = 10_000;

/** One `git status` of the tracked files, and a look at those that differ from HEAD. */
export async function treeState(
  root: string,
  commands: Partial<ProjectCommands>,
): Promise<TreeState> {
  const { records, ok } = await gitRecords(root, [
    "status",
    "--porcelain=v2",
    "-z",
    "--branch",
    "--untracked-files=no",
    "--ignore-submodules=all",
    "--no-renames",
  ]);
  const hash = createHash("sha256").update(JSON.stringify([format, ok, commands]));
  let head: string | null = null;
  let dirty = 0;
  for (const record of records) {
    const oid = /^# branch\.oid ([0-9a-f]+)$/u.exec(record)?.[1];
    if (oid !== undefined) head = oid;
    // Of the branch only HEAD counts, not its name or what is ahead of it.
    if (record.startsWith("# ")) continue;
    hash.update(`\0${record}`);
    dirty += 1;
    if (dirty <= maxDirty) hash.update(`\0${stampOf(`${root}/${pathOf(record)}`)}`);
  }
  return { head, key: hash.update(`\0${head}`).digest("hex") };
}

/** Of the files at these places: which there are, how long, and from when. */
export function stampOfFiles(root: string, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const stamp = stampOf(`${root}/${file}`);
    if (stamp !== "") hash.update(`${file}\0${stamp}\0`);
  }
  return hash.digest("hex");
}

/** `1 XY sub mH mI mW hH hI path`; `u` has two fields more. */
function pathOf(record: string): string {
  const fields = record.startsWith("u ") ? 10 : 8;
  return record.split(" ").slice(fields).join(" ");
}

/** Empty: it is not there. */
function stampOf(file: string): string {
  try {
    const { size, mtimeNs, mode } = lstatSync(file, { bigint: true });
    return `${size} ${mtimeNs} ${mode}`;
  } catch {
    return "";
  }
}
