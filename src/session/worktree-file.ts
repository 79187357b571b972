/** `worktree.json` in a session's folder: which worktree it has, and where that is to go (spec 8.1). */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { writing } from "./disk.ts";
import { type Format, readVersioned, writeVersioned } from "./versioned-file.ts";

export interface WorktreeRecord {
  /** Of the session, its branch and its folder. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** The branch the user stood on; `null`: a detached HEAD. */
  readonly target: string | null;
  /** The commit it began on. */
  readonly base: string;
  readonly createdAt: string;
  /** `null`: mmm has not merged it. */
  readonly mergedAt: string | null;
  /** What a merge takes from the playbook; `null`: nobody has said. */
  readonly needs: readonly MergeNeed[] | null;
}

const MERGE_NEEDS = ["gates", "steps", "secrets"] as const;

export type MergeNeed = (typeof MERGE_NEEDS)[number];

const FORMAT: Format<WorktreeRecord> = {
  version: 2,
  migrations: new Map([[1, (old) => ({ ...old, needs: null })]]),
  read: (content) => {
    const { name, path: place, target, base, created_at, merged_at, needs } = content;
    if (typeof name !== "string" || typeof place !== "string" || typeof base !== "string")
      return null;
    // What goes into a git command line or a path is looked at here (spec 0, data is data).
    if (!NAME.test(name) || path.basename(place) !== name || !path.isAbsolute(place)) return null;
    if (!/^[0-9a-f]{40,64}$/.test(base)) return null;
    return {
      name,
      path: place,
      target: typeof target === "string" && !target.startsWith("-") ? target : null,
      base,
      createdAt: String(created_at),
      mergedAt: typeof merged_at === "string" ? merged_at : null,
      needs: Array.isArray(needs) ? MERGE_NEEDS.filter((need) => needs.includes(need)) : null,
    };
  },
};

const NAME = /^[a-z0-9][a-z0-9-]*$/;

/** `null`: the session has none, or what stands there is damaged. */
export function readWorktreeRecord(directory: string): WorktreeRecord | null {
  const found = readVersioned(path.join(directory, "worktree.json"), FORMAT);
  if (found.kind !== "sound" || found.value.name !== path.basename(directory)) return null;
  return found.value;
}

/** Throws `MmmError` (exit 3). */
export function writeWorktreeRecord(directory: string, record: WorktreeRecord): void {
  writeVersioned(path.join(directory, "worktree.json"), contentOf(record));
}

/** The worktree of one input (spec 8.4). */
export interface InputRecord extends WorktreeRecord {
  /** Number of the input, from 1. */
  readonly input: number;
  /** What lay in it before its first step, for whoever resumes it: as its tree told it. */
  readonly protectedFiles: readonly unknown[];
}

/** Of a session; never the name of one, which ends in its time. */
export function inputName(session: string, input: number): string {
  return `${session}-i${input}`;
}

/** Of the input, from the name of its worktree. */
export function inputNumber(name: string): number {
  return Number(/-i(\d+)$/.exec(name)?.[1]);
}

/** `null`: that input has none, or what stands there is damaged. */
export function readInputRecord(directory: string, input: number): InputRecord | null {
  const found = readVersioned(inputFile(directory, input), FORMAT_OF_INPUT);
  if (found.kind !== "sound" || found.value.input !== input) return null;
  return found.value.name === inputName(path.basename(directory), input) ? found.value : null;
}

/** Of all inputs that ever had one, in their order. */
export function inputRecords(directory: string): readonly InputRecord[] {
  const files = existsSync(path.join(directory, "inputs"))
    ? readdirSync(path.join(directory, "inputs"))
    : [];
  return files
    .flatMap((file) => /^(\d+)\.json$/.exec(file)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap((input) => readInputRecord(directory, input) ?? []);
}

/** Throws `MmmError` (exit 3). */
export function writeInputRecord(directory: string, record: InputRecord): void {
  writing(`make the folder of inputs in ${directory}`, () =>
    mkdirSync(path.join(directory, "inputs"), { recursive: true }),
  );
  const { input, protectedFiles } = record;
  const content = { ...contentOf(record), input, protected_files: protectedFiles };
  writeVersioned(inputFile(directory, input), content, false);
}

/** Its worktree is gone, and nobody will come back to it. */
export function forgetInputRecord(directory: string, input: number): void {
  rmSync(inputFile(directory, input), { force: true });
}

const FORMAT_OF_INPUT: Format<InputRecord> = {
  ...FORMAT,
  read: (content) => {
    const record = FORMAT.read(content);
    const { input, protected_files } = content;
    if (record === null || typeof input !== "number") return null;
    return {
      ...record,
      input,
      protectedFiles: Array.isArray(protected_files) ? protected_files : [],
    };
  },
};

function inputFile(directory: string, input: number): string {
  return path.join(directory, "inputs", `${input}.json`);
}

function contentOf(record: WorktreeRecord) {
  return {
    version: 2,
    name: record.name,
    path: record.path,
    target: record.target,
    base: record.base,
    created_at: record.createdAt,
    merged_at: record.mergedAt,
    needs: record.needs,
  };
}
