/** The engine's `AnalysisPort`: keeps `.mmm/context` and hands out its text (spec 2.7). */
import { existsSync } from "node:fs";
import path from "node:path";
import type { AnalysisPort, Clock } from "../engine/ports.ts";
import type { AnalysisOptions } from "../playbook/model.ts";
import {
  contextFolder,
  metadataOf,
  readMetadata,
  readTexts,
  saveContext,
  type ContextTexts,
  type Metadata,
} from "./context-folder.ts";
import { reportPlaces } from "./coverage-reports.ts";
import { gatherFacts, type AllFacts } from "./gather.ts";
import type { ProjectCommands } from "../engine/ports.ts";
import { jsonObject } from "./read-inside.ts";
import { strings } from "../lib/json.ts";
import { stampOfFiles, treeState, type TreeState } from "./state.ts";
import { renderSummary } from "./summary.ts";

export interface AnalysisSetup {
  /** Absolute path of the top of the session's tree. */
  readonly root: string;
  /** Of the main repository, when `root` is a worktree of it; its context stands in until one is made. */
  readonly mainRoot?: string;
  readonly clock: Pick<Clock, "now">;
  /** Of this mmm. */
  readonly version: string;
  /** `project:` of the config; beats what is detected. */
  readonly commands?: Partial<ProjectCommands>;
}

interface Context {
  readonly texts: ContextTexts;
  readonly metadata: Metadata;
}

/**
 * `refresh` throws an `MmmError` when `.mmm/context` cannot be written or lies outside of the repository;
 * `fresh` is true when it was made now. A saved context counts while it is young enough, of this mmm, and HEAD, the
 * tracked files, the configured commands and the coverage reports are as they were. With `save: false` nothing is
 * written, a saved context that counts is used all the same.
 */
export function createAnalysis(setup: AnalysisSetup): AnalysisPort {
  return {
    refresh: async (options) => {
      const state = await treeState(setup.root, setup.commands ?? {});
      const saved = options.forceRefresh ? null : await savedContext(setup, state, options);
      if (saved !== null) return { text: textOf(saved, options), fresh: false };
      const made = await makeContext(setup, state);
      if (options.save) await saveContext(setup.root, made.texts, made.metadata);
      return { text: textOf(made, options), fresh: true };
    },
    location: async () => {
      const own = contextFolder(setup.root);
      const roots = new Set([setup.root, setup.mainRoot ?? setup.root]);
      for (const root of roots) {
        // Asked before each step, and mostly there is none: one system call then.
        if (!existsSync(path.join(contextFolder(root), "metadata.json"))) continue;
        if ((await readMetadata(root)) !== null) {
          return { directory: contextFolder(root), available: true };
        }
      }
      return { directory: own, available: false };
    },
  };
}

/** `null`: none, too old, from the future, of another state or mmm, damaged, or outside of the repository. */
async function savedContext(
  { root, clock, version }: AnalysisSetup,
  state: TreeState,
  options: AnalysisOptions,
): Promise<Context | null> {
  const metadata = await readMetadata(root);
  if (metadata === null || metadata.state !== state.key || metadata.mmm !== version) return null;
  const age = clock.now().getTime() - Date.parse(metadata.generated_at);
  if (!(age >= 0 && age < options.maxCacheAgeMs)) return null;
  const texts = await readTexts(root, metadata);
  if (texts === null) return null;
  const manifests = strings(jsonObject(texts["project.json"])?.["manifests"]);
  const reports = stampOfFiles(root, reportPlaces(manifests));
  return reports === metadata.reports ? { texts, metadata } : null;
}

async function makeContext(
  { root, clock, commands, version }: AnalysisSetup,
  { head, key }: TreeState,
): Promise<Context> {
  const now = clock.now();
  const facts = await gatherFacts(root, { commands: commands ?? {}, now });
  const texts = textsOf(facts, head);
  const given = {
    mmm: version,
    generated_at: now.toISOString(),
    head,
    state: key,
    reports: facts.reportStamp,
  };
  return { texts, metadata: metadataOf(texts, given) };
}

function textsOf(facts: AllFacts, head: string | null): ContextTexts {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  return {
    "project.json": json(facts.project),
    "hotspots.json": json(facts.hotspots),
    "debt.json": json(facts.debt),
    "coverage.json": json(facts.coverage),
    "summary.md": renderSummary(facts, head),
  };
}

/** All of it in one object for `json`, by the names of the files. */
function textOf({ texts, metadata }: Context, options: AnalysisOptions): string {
  if (options.format !== "json") return texts["summary.md"];
  const parts = (["project", "hotspots", "debt", "coverage"] as const).map(
    (name) => `${JSON.stringify(name)}: ${texts[`${name}.json`].trimEnd()}`,
  );
  return `{\n${[...parts, `"metadata": ${JSON.stringify(metadata, null, 2)}`].join(",\n")}\n}\n`;
}
