/** Reads small text files of a repository, and never one that lies outside of it. */
import { open, realpath } from "node:fs/promises";
import { constants } from "node:fs";
import path from "node:path";
import { asObject, type JsonObject, parseJson } from "../lib/json.ts";

/** 1 MiB: no manifest that a person keeps is larger. */
const manifestBytes = 1024 * 1024;

/**
 * The file's text, wrong UTF-8 replaced and a byte order mark dropped; `null` when it is missing, not a regular
 * file, over `maxBytes`, not readable, or reached through a symlink that leaves `root`.
 */
export async function readInside(
  root: string,
  file: string,
  maxBytes = manifestBytes,
): Promise<string | null> {
  const place = await placeInside(root, file);
  if (place === null) return null;
  // O_NONBLOCK: opening a named pipe that nobody writes to would wait for ever
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(place, flags).catch(() => null);
  if (handle === null) return null;
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > maxBytes) return null;
    const buffer = Buffer.alloc(stats.size);
    const { bytesRead } = await handle.read(buffer, 0, stats.size, 0);
    return buffer
      .subarray(0, bytesRead)
      .toString("utf8")
      .replace(/^\uFEFF/u, "");
  } catch {
    // a file that cannot be read is a file that tells nothing
    return null;
  } finally {
    await handle.close();
  }
}

/** Absolute path with symlinks resolved; `null` when nothing is there or it lies outside of `root`. */
async function placeInside(root: string, file: string): Promise<string | null> {
  const base = await realpath(root).catch(() => null);
  const place = await realpath(path.join(root, file)).catch(() => null);
  if (base === null || place === null) return null;
  return place.startsWith(base + path.sep) ? place : null;
}

/** Is there something of that name inside `root`? */
export async function existsInside(root: string, file: string): Promise<boolean> {
  return (await placeInside(root, file)) !== null;
}

/** The text as JSON object; `null` for anything else: a manifest that does not parse tells nothing, its own tools will complain. */
export function jsonObject(text: string | null): JsonObject | null {
  return text === null ? null : asObject(parseJson(text));
}
