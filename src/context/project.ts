/** `project.json`: what is known of a repository from git and its manifests (spec 2.7). */
import path from "node:path";
import type { ProjectCommands } from "../engine/ports.ts";
import { commitStyleOf, type CommitStyle } from "./commit-style.ts";
import { lastSubjects, type TrackedFiles } from "./git-facts.ts";
import { isForeign, languageShares, type LanguageShare } from "./languages.ts";
import {
  entryPointsOf,
  manifestsOf,
  testLayoutOf,
  workspacesOf,
  type EntryPoint,
  type TestLayout,
  type Workspace,
} from "./layout.ts";
import { detectCommands, packageManagerOf } from "./project-commands.ts";
import { jsonObject, readInside } from "./read-inside.ts";
import { glanceAtToml } from "./toml-glance.ts";

export interface ProjectFacts {
  /** Of this format; raised when a field changes its meaning. */
  readonly version: 1;
  /** As its manifest says, else the folder's name. */
  readonly name: string;
  readonly description: string | null;
  readonly files: {
    /** Regular files that git tracks. */
    readonly tracked: number;
    /** Of these: vendored, built or generated, left out below. */
    readonly foreign: number;
    /** `false`: git was stopped at a limit, numbers are too low. */
    readonly complete: boolean;
  };
  readonly languages: readonly LanguageShare[];
  /** Shallow ones first; at most 200. */
  readonly manifests: readonly string[];
  readonly package_manager: string | null;
  readonly workspaces: readonly Workspace[];
  readonly entry_points: readonly EntryPoint[];
  readonly commands: ProjectCommands;
  readonly tests: TestLayout;
  readonly commits: CommitStyle;
}

/** `project.json` of a repository; `overrides` beat what is detected. */
export async function projectFacts(
  root: string,
  listed: TrackedFiles,
  overrides: Partial<ProjectCommands>,
): Promise<ProjectFacts> {
  const [commands, subjects, manifestFacts] = await Promise.all([
    detectCommands(root),
    lastSubjects(root, 50),
    selfDescription(root),
  ]);
  const own = listed.files.filter((file) => !isForeign(file.path));
  const manifests = manifestsOf(own);
  return {
    version: 1,
    ...manifestFacts,
    files: {
      tracked: listed.files.length,
      foreign: listed.files.length - own.length,
      complete: listed.complete,
    },
    languages: languageShares(own),
    manifests: manifests.slice(0, 200),
    package_manager: manifests.includes("package.json") ? await packageManagerOf(root) : null,
    workspaces: await workspacesOf(root, manifests),
    entry_points: await entryPointsOf(root, own),
    commands: { ...commands, ...overrides },
    tests: testLayoutOf(own),
    commits: commitStyleOf(subjects),
  };
}

async function selfDescription(
  root: string,
): Promise<{ readonly name: string; readonly description: string | null }> {
  const node = jsonObject(await readInside(root, "package.json"));
  const rust = glanceAtToml((await readInside(root, "Cargo.toml")) ?? "").texts;
  const python = glanceAtToml((await readInside(root, "pyproject.toml")) ?? "").texts;
  const go = /^module\s+(\S+)/mu.exec((await readInside(root, "go.mod")) ?? "")?.[1];
  const text = (value: unknown): string | null =>
    typeof value === "string" && value.trim() !== "" ? value.slice(0, 300) : null;
  const name =
    text(node?.["name"]) ??
    text(rust.get("package.name")) ??
    text(python.get("project.name")) ??
    text(go);
  const description =
    text(node?.["description"]) ??
    text(rust.get("package.description")) ??
    text(python.get("project.description"));
  return { name: name ?? path.basename(path.resolve(root)), description };
}
