/** The engine's `AnalysisPort`: keeps `.mmm/context` and hands out its text (spec 2.7). */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { AnalysisPort, Clock } from "../engine/ports.ts";
import { MmmError } from "../errors.ts";
import type { AnalysisOptions } from "../playbook/model.ts";
import type { ProjectCommands } from "./project-commands.ts";
import { readProject } from "./project.ts";
import { jsonObject } from "./read-inside.ts";
import { renderSummary } from "./summary.ts";

export interface AnalysisSetup {
  /** Absolute path of the top of the session's tree. */
  readonly root: string;
  /** Of the main repository, when `root` is a worktree of it; its context stands in until one is made. */
  readonly mainRoot?: string;
  readonly clock: Pick<Clock, "now">;
  /** `project:` of the config; beats what is detected. */
  readonly commands?: Partial<ProjectCommands>;
}

/** What `metadata.json` holds; written last, so that it stands for the others. */
interface Metadata {
  readonly version: 1;
  readonly generated_at: string;
  /** `null`: no commit yet. */
  readonly head: string | null;
  readonly files: readonly string[];
}

interface Texts {
  readonly summary: string;
  readonly json: string;
}

/**
 * `refresh` throws an `MmmError` when `.mmm/context` cannot be written or lies outside of the repository;
 * `fresh` is true when it was made now. With `save: false` nothing is written, a saved context that is young
 * enough is used all the same.
 */
export function createAnalysis(setup: AnalysisSetup): AnalysisPort {
  return {
    refresh: async (options) => {
      const saved = options.forceRefresh ? null : await youngTexts(setup, options);
      if (saved !== null) return { text: textOf(saved, options), fresh: false };
      const { facts, head } = await readProject(setup.root, setup.commands ?? {});
      const texts: Texts = {
        summary: renderSummary(facts, head),
        json: `${JSON.stringify(facts, null, 2)}\n`,
      };
      if (options.save) await save(setup, texts, head);
      return { text: textOf(texts, options), fresh: true };
    },
    location: async () => {
      const own = contextFolder(setup.root);
      const roots = new Set([setup.root, setup.mainRoot ?? setup.root]);
      for (const root of roots) {
        // Asked before each step, and mostly there is none: one system call then.
        if (!existsSync(path.join(contextFolder(root), "metadata.json"))) continue;
        if ((await isInside(root)) && (await readMetadata(root)) !== null) {
          return { directory: contextFolder(root), available: true };
        }
      }
      return { directory: own, available: false };
    },
  };
}

function contextFolder(root: string): string {
  return path.join(root, ".mmm", "context");
}

function textOf(texts: Texts, options: AnalysisOptions): string {
  return options.format === "json" ? texts.json : texts.summary;
}

/** `null`: none, too old, from the future, damaged, or outside of the repository. */
async function youngTexts(setup: AnalysisSetup, options: AnalysisOptions): Promise<Texts | null> {
  if (!(await isInside(setup.root))) return null;
  const metadata = await readMetadata(setup.root);
  if (metadata === null) return null;
  const age = setup.clock.now().getTime() - Date.parse(metadata.generated_at);
  if (!(age >= 0 && age < options.maxCacheAgeMs)) return null;
  const folder = contextFolder(setup.root);
  const read = async (file: string): Promise<string | null> =>
    readFile(path.join(folder, file), "utf8").catch(() => null);
  const [summary, json] = [await read("summary.md"), await read("project.json")];
  return summary === null || jsonObject(json) === null || json === null ? null : { summary, json };
}

async function readMetadata(root: string): Promise<Metadata | null> {
  const file = path.join(contextFolder(root), "metadata.json");
  const text = await readFile(file, "utf8").catch(() => null);
  const value = jsonObject(text);
  const time = value?.["generated_at"];
  const known = value !== null && value["version"] === 1 && typeof time === "string";
  return known && !Number.isNaN(Date.parse(time)) ? (value as unknown as Metadata) : null;
}

/** Each file whole or not at all; a reader in between sees old or new ones, `metadata.json` always last. */
async function save(setup: AnalysisSetup, texts: Texts, head: string | null): Promise<void> {
  const folder = contextFolder(setup.root);
  if (!(await isInside(setup.root))) {
    throw new MmmError("context-outside", 3, {
      message: `${folder} leads out of the repository, nothing was written`,
      next: [`make ${path.join(setup.root, ".mmm")} a plain folder, or use \`save: false\``],
    });
  }
  const metadata: Metadata = {
    version: 1,
    generated_at: setup.clock.now().toISOString(),
    head,
    files: ["project.json", "summary.md"],
  };
  try {
    await mkdir(folder, { recursive: true });
    await writeWhole(path.join(folder, "project.json"), texts.json);
    await writeWhole(path.join(folder, "summary.md"), texts.summary);
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
