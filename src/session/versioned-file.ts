/** Small JSON files with a `version`: read, migrated, refused or set aside (spec 7). */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import writeFileAtomic from "write-file-atomic";
import { MmmError } from "../errors.ts";
import { writing } from "./disk.ts";

type Content = Readonly<Record<string, unknown>>;

/** From its version to the next; what it returns needs no `version`. */
export type Migration = (old: Content) => Content;

export interface Format<T> {
  /** The one that is written. */
  readonly version: number;
  /** By the version they start from. */
  readonly migrations: ReadonlyMap<number, Migration>;
  /** Of the current version; `null`: it is not sound. */
  read(content: Content): T | null;
}

export type Found<T> =
  | { readonly kind: "none" }
  | { readonly kind: "sound"; readonly value: T }
  | { readonly kind: "damaged" };

/** Throws `MmmError` (exit 3) for the file of a newer mmm. */
export function readVersioned<T>(file: string, format: Format<T>): Found<T> {
  const text = readText(file);
  if (text === null) return { kind: "none" };
  const content = parse(text);
  const migrated = content === null ? null : migrate(file, content, format);
  const value = migrated === null ? null : format.read(migrated);
  return value === null ? { kind: "damaged" } : { kind: "sound", value };
}

/**
 * Replaces the whole file. Throws `MmmError` (exit 3).
 *
 * @param fsync `false`: what only says "running" may be lost in a power cut, like the run itself.
 */
export function writeVersioned(
  file: string,
  content: Content & { readonly version: number },
  fsync = true,
): void {
  writing(`write ${file}`, () =>
    writeFileAtomic.sync(file, `${JSON.stringify(content, null, 2)}\n`, { fsync }),
  );
}

/** `null`: there is none; empty, which is damaged: it is not a file, or cannot be read. */
function readText(file: string): string | null {
  let fd: number;
  try {
    // Opening a pipe would wait for ever.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    return "";
  }
  try {
    return fstatSync(fd).isFile() ? readFileSync(fd, "utf8") : "";
  } catch {
    return "";
  } finally {
    closeSync(fd);
  }
}

function parse(text: string): Content | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Content) : null;
  } catch {
    return null;
  }
}

/** `null`: of no version there ever was. */
function migrate<T>(file: string, found: Content, format: Format<T>): Content | null {
  let content = found;
  for (;;) {
    const version = content["version"];
    if (typeof version !== "number" || !Number.isSafeInteger(version)) return null;
    if (version > format.version) throw newer(file, version, format.version);
    if (version === format.version) return content;
    const migration = format.migrations.get(version);
    if (migration === undefined) return null;
    content = { ...migration(content), version: version + 1 };
  }
}

function newer(file: string, version: number, known: number): MmmError {
  return new MmmError("state-newer", 3, {
    message: `${file} was written by a newer mmm: it has version ${version}, and this mmm knows ${known}`,
    next: ["use the newer mmm that wrote it"],
  });
}
