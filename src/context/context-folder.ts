/** `.mmm/context`: read and written whole or not at all, and never through a symlink that leaves the repository. */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { lstat, mkdir, open, realpath, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";
import { asObject } from "../lib/json.ts";
import { jsonObject } from "./read-inside.ts";

/** Without `metadata.json`, which stands for them. */
const contextFiles = [
  "project.json",
  "hotspots.json",
  "debt.json",
  "coverage.json",
  "summary.md",
] as const;

type ContextFile = (typeof contextFiles)[number];

export type ContextTexts = Readonly<Record<ContextFile, string>>;

/** `metadata.json`; written last. */
export interface Metadata {
  /** Of this format. */
  readonly version: 2;
  /** The mmm that made it; another one makes it again. */
  readonly mmm: string;
  /** ISO 8601, UTC. */
  readonly generated_at: string;
  /** `null`: no commit yet. */
  readonly head: string | null;
  /** Of HEAD, changes to tracked files, and configured commands; another one makes the context afresh. */
  readonly state: string;
  /** Of the coverage reports that were there. */
  readonly reports: string;
  /** For each file, when it was made and how long it is. */
  readonly files: Readonly<
    Record<ContextFile, { readonly generated_at: string; readonly bytes: number }>
  >;
}

export function contextFolder(root: string): string {
  return path.join(root, ".mmm", "context");
}

/** `null`: none, damaged, of another format, or outside of the repository. */
export async function readMetadata(root: string): Promise<Metadata | null> {
  if (!(await isInside(root))) return null;
  const text = await readText(root, "metadata.json");
  const value = jsonObject(text);
  if (value === null || value["version"] !== 2 || asObject(value["files"]) === null) return null;
  const texts = [value["generated_at"], value["state"], value["reports"]];
  if (!texts.every((each) => typeof each === "string")) return null;
  if (Number.isNaN(Date.parse(String(value["generated_at"])))) return null;
  // The fields that are used have just been looked at.
  return value as unknown as Metadata;
}

/** All of them as `metadata` describes them; `null`: one is missing, of another length, or no JSON. */
export async function readTexts(root: string, metadata: Metadata): Promise<ContextTexts | null> {
  const found: Partial<Record<ContextFile, string>> = {};
  for (const file of contextFiles) {
    const text = await readText(root, file);
    if (text === null || Buffer.byteLength(text) !== metadata.files[file]?.bytes) return null;
    if (file.endsWith(".json") && jsonObject(text) === null) return null;
    found[file] = text;
  }
  // Each name of the record has got its text.
  return found as ContextTexts;
}

/**
 * Each file whole or not at all; a reader in between sees old or new ones, `metadata.json` always last.
 *
 * @throws MmmError exit 3 when the folder leads out of the repository or cannot be written
 */
export async function saveContext(
  root: string,
  texts: ContextTexts,
  facts: Omit<Metadata, "version" | "files">,
): Promise<void> {
  const folder = contextFolder(root);
  if (!(await isInside(root))) {
    throw new MmmError("context-outside", 3, {
      message: `${folder} leads out of the repository, nothing was written`,
      next: [`make ${path.join(root, ".mmm")} a plain folder, or use \`save: false\``],
    });
  }
  try {
    await mkdir(folder, { recursive: true });
    for (const file of contextFiles) await writeWhole(path.join(folder, file), texts[file]);
    const metadata = metadataOf(texts, facts);
    await writeWhole(path.join(folder, "metadata.json"), `${JSON.stringify(metadata, null, 2)}\n`);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    const reason = cause.message;
    throw new MmmError("context-unwritable", 3, {
      message: `cannot write the project context: ${reason}`,
      next: [`make ${folder} writable, or use \`save: false\``],
      cause,
    });
  }
}

export function metadataOf(
  texts: ContextTexts,
  facts: Omit<Metadata, "version" | "files">,
): Metadata {
  const entry = (file: ContextFile): Metadata["files"][ContextFile] => ({
    generated_at: facts.generated_at,
    bytes: Buffer.byteLength(texts[file]),
  });
  return {
    version: 2,
    ...facts,
    files: {
      "project.json": entry("project.json"),
      "hotspots.json": entry("hotspots.json"),
      "debt.json": entry("debt.json"),
      "coverage.json": entry("coverage.json"),
      "summary.md": entry("summary.md"),
    },
  };
}

/** `null`: not there, not readable, or a symlink; mmm makes none. */
async function readText(root: string, file: string): Promise<string | null> {
  // O_NONBLOCK: opening a named pipe that nobody writes to would wait for ever
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path.join(contextFolder(root), file), flags).catch(() => null);
  try {
    return (await handle?.readFile("utf8")) ?? null;
  } catch {
    return null;
  } finally {
    await handle?.close();
  }
}

/** Old or new, never half; not synced to disk, it can be made again. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(draft, text, { flag: "wx" });
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
}

/** Would a write to `.mmm/context` stay in the repository? Parts that do not exist yet are fine. */
async function isInside(root: string): Promise<boolean> {
  const base = await realpath(root);
  for (const part of [".mmm", path.join(".mmm", "context")]) {
    const place = path.join(base, part);
    const stats = await lstat(place).catch(() => null);
    if (stats === null) return true;
    const real = await realpath(place).catch(() => null);
    if (real === null || !real.startsWith(base + path.sep)) return false;
  }
  return true;
}
