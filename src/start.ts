#!/usr/bin/env node
/**
 * The bin: runs mmm with what V8 compiled the last time, which is a third of a start (decision 0028). Node 20 keeps nothing by
 * itself. It is a cache of code alone: with it, without it and with a broken one mmm does the same.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { env } from "node:process";
import { Script } from "node:vm";

/** A file of `dist/` is one function of this kind (esbuild.config.mjs). */
type Chunk = (
  ...scope: [
    ask: (id: string) => unknown,
    module: { exports: unknown },
    file: string,
    folder: string,
  ]
) => void;

/** A sum of all files of `dist/`, put in when they are built: V8 tells texts of one length apart by nothing. */
declare const MMM_BUILD: string;

const { MMM_HOME: told, HOME: home = "" } = env;
const base = told || `${home}/.mmm`;
const folder = `${base}/cache`;
// Each command calls other functions of the same files, and V8 compiles what is called. Of what was built or started
// otherwise there is one file all the same: it is made again, and nothing piles up.
const command = /^[a-z]{2,10}$/.exec(process.argv[2] ?? "")?.[0] ?? "mmm";
const cache = `${folder}/${command}-node${Number.parseInt(process.version.slice(1), 10)}`;
const madeBy = `${MMM_BUILD} ${process.version} ${process.arch}`;
// The variable is Node's own, for its cache of the same kind.
const isKept = !env["NODE_DISABLE_COMPILE_CACHE"] && (Boolean(told) || home.startsWith("/"));

const modules = new Map<string, { exports: unknown }>();
const kept = isKept ? read() : new Map<string, Buffer>();
const compiled = new Map<string, Script>();

// A dry run promises to write nothing.
if (isKept && !process.argv.includes("--dry-run")) process.once("exit", keep);
load("./mmm.js");

function load(id: string): unknown {
  if (!id.startsWith("./")) return require(id);
  const known = modules.get(id);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(id, module);
  const filename = `${__dirname}/${id.slice("./".length)}`;
  const cachedData = kept.get(id);
  // The build writes ASCII.
  const script = new Script(readFileSync(filename, "latin1"), { filename, cachedData });
  // V8 refuses what other flags made.
  if (cachedData === undefined || script.cachedDataRejected === true) compiled.set(id, script);
  (script.runInThisContext() as Chunk)(load, module, filename, __dirname);
  return module.exports;
}

/**
 * V8 runs what it is given without a look, and what is damaged hangs it. So all of it stands in the file twice, which is
 * cheaper to compare than a sum is to compute; and a file of somebody else is not read (`sudo` with the user's HOME).
 */
function read(): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  let fd: number | null = null;
  try {
    fd = openSync(cache, "r");
    if (fstatSync(fd).uid !== process.getuid?.()) return found;
    const both = readFileSync(fd);
    const once = both.subarray(0, both.length / 2);
    if (!once.equals(both.subarray(once.length))) return found;
    let at = once.indexOf("\n") + 1;
    const { madeBy: maker, sizes } = JSON.parse(once.toString("latin1", 0, at)) as Head;
    if (maker !== madeBy) return found;
    for (const [id, size] of sizes) found.set(id, once.subarray(at, (at += size)));
  } catch {
    // Nothing yet, or nothing that can be read.
  } finally {
    if (fd !== null) closeSync(fd);
  }
  return found;
}

/** The file's first line. */
interface Head {
  readonly madeBy: string;
  readonly sizes: readonly (readonly [id: string, size: number])[];
}

/** At the end, when the functions that were called are compiled. When it fails the next start is as slow as this one. */
function keep(): void {
  if (compiled.size === 0) return;
  const temporary = `${cache}.new`;
  try {
    // A home that is not there is not made, and root leaves nothing of its own in a user's (`sudo`).
    const owner = statSync(told || home, { throwIfNoEntry: false })?.uid;
    if (owner === undefined ? !told : owner !== process.getuid?.()) return;
    for (const [id, script] of compiled) kept.set(id, script.createCachedData());
    const sizes = [...kept].map(([id, { length }]) => [id, length] as const);
    const head = Buffer.from(`${JSON.stringify({ madeBy, sizes } satisfies Head)}\n`);
    const once = [head, ...kept.values()];
    // Not `recursive`, which goes round for ever where nothing can be made and nobody says so (`/proc`).
    for (const each of [base, folder]) if (!existsSync(each)) mkdirSync(each, { mode: 0o700 });
    writeFileSync(temporary, Buffer.concat([...once, ...once]), { mode: 0o600, flag: "wx" });
    renameSync(temporary, cache);
  } catch {
    // A full disk, a folder that is not ours, another that keeps at this moment or was killed when it did.
    forget(temporary);
  }
}

function forget(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Then it stays.
  }
}
