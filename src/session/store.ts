/** The session's folder `.mmm/sessions/<name>/`: logs, event streams of Claude, values by file (spec 7). */
import { existsSync, mkdirSync } from "node:fs";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import { isUtf8 } from "node:buffer";
import path from "node:path";
import type { StorePort } from "../engine/ports.ts";
import { noRedactor, type Redactor } from "../lib/redact.ts";
import { diskError, writing } from "./disk.ts";

const FOLDER = { log: "logs", stdout: "logs", stderr: "logs", events: "claude" } as const;
const SUFFIX = { log: ".log", stdout: ".stdout", stderr: ".stderr", events: ".jsonl" } as const;

/** Makes the folders; secrets in values are masked. Throws `MmmError` (exit 3) when that cannot be. */
export function openStore(directory: string, redactor: Redactor = noRedactor): StorePort {
  writing(`make the session's folder ${directory}`, () => {
    for (const folder of ["logs", "claude", "outputs"]) {
      mkdirSync(path.join(directory, folder), { recursive: true });
    }
  });
  return {
    // Asked several times for each step, also for those that a resume goes through again.
    file: (kind, unit) => `${directory}/${FOLDER[kind]}/${fileName(unit)}${SUFFIX[kind]}`,
    writeOutput: async (name, content) => {
      const file = freeName(path.join(directory, "outputs", fileName(name)));
      try {
        await writeFile(file, redactor.text(content), { flag: "wx" });
      } catch (error) {
        throw diskError(`write a value to ${file}`, error);
      }
      return file;
    },
    size: async (file) => (await stat(file).catch(() => ({ size: 0 }))).size,
    readPiece: async (file, from, bytes) => {
      if (!existsSync(file)) return "";
      const handle = await open(file);
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, from);
        return buffer.toString("utf8", 0, bytesRead);
      } finally {
        await handle.close();
      }
    },
    read: async (file) => {
      if (!existsSync(file)) return { text: "", exact: true };
      const bytes = await readFile(file);
      return { text: bytes.toString("utf8"), exact: isUtf8(bytes) };
    },
  };
}

/** Names come from step paths and references; whatever they hold, the file stays in its folder. */
function fileName(unit: string): string {
  if (PLAIN_NAME.test(unit)) return unit;
  return unit
    .replace(/[^\w.-]+/g, "_")
    .replace(/^\.+/, "_")
    .slice(0, 120);
}

/** What needs nothing done to it. */
const PLAIN_NAME = /^[\w-][\w.-]{0,119}$/;

function freeName(file: string): string {
  if (!existsSync(file)) return file;
  for (let n = 2; ; n += 1) if (!existsSync(`${file}-${n}`)) return `${file}-${n}`;
}
