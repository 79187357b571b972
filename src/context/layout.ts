/** How a repository is laid out: manifests, workspaces, entry points, tests. Names and small files only. */
import path from "node:path";
import { folderMatcher } from "./folder-pattern.ts";
import type { TrackedFile } from "./git-facts.ts";
import { asObject, strings } from "../lib/json.ts";
import { jsonObject, readInside } from "./read-inside.ts";
import { glanceAtToml } from "./toml-glance.ts";

export interface Workspace {
  /** The file that declares it. */
  readonly manifest: string;
  readonly patterns: readonly string[];
  /** Folders that match and have a manifest; at most 200. */
  readonly members: readonly string[];
}

export interface EntryPoint {
  readonly path: string;
  /** `package.json bin mmm`, `convention`. */
  readonly from: string;
}

export interface TestLayout {
  readonly files: number;
  /** Top folders that hold tests, most first; at most 10. */
  readonly folders: readonly string[];
  /** `*.test.ts`, `test_*.py`; most first; at most 5. */
  readonly patterns: readonly string[];
  /** Most tests stand in the folder of what they test. */
  readonly beside: boolean;
}

/** Enough for any project people keep by hand; what is more is only listed as a number. */
const most = 200;

const manifestNames = new Set(
  `
  package.json pnpm-workspace.yaml deno.json Cargo.toml go.mod go.work pyproject.toml
  setup.py setup.cfg requirements.txt Pipfile Gemfile composer.json pom.xml
  build.gradle build.gradle.kts settings.gradle mix.exs Package.swift pubspec.yaml
  CMakeLists.txt meson.build build.zig flake.nix stack.yaml rebar.config dune-project
  justfile Justfile Makefile makefile GNUmakefile Taskfile.yml Dockerfile
  docker-compose.yml compose.yaml tox.ini
`
    .trim()
    .split(/\s+/u),
);

/** Paths of the manifests, shallow ones first. */
export function manifestsOf(files: readonly TrackedFile[]): readonly string[] {
  return files
    .map((file) => file.path)
    .filter(
      (file) => manifestNames.has(path.posix.basename(file)) || /\.(?:cs|fs)proj$/u.test(file),
    )
    .sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

function depth(file: string): number {
  return file.split("/").length;
}

/** What the root's manifests declare. */
export async function workspacesOf(
  root: string,
  manifests: readonly string[],
): Promise<readonly Workspace[]> {
  const declared = [
    ["package.json", await npmPatterns(root)],
    ["pnpm-workspace.yaml", await pnpmPatterns(root)],
    ["Cargo.toml", await cargoPatterns(root)],
    ["go.work", await goPatterns(root)],
  ] as const;
  const folders = [...new Set(manifests.map((file) => path.posix.dirname(file)))];
  return declared
    .filter(([, patterns]) => patterns.length > 0)
    .map(([manifest, patterns]) => ({
      manifest,
      patterns: patterns.map(short).slice(0, most),
      members: folders.filter(folderMatcher(patterns)).slice(0, most),
    }));
}

async function npmPatterns(root: string): Promise<readonly string[]> {
  const written = jsonObject(await readInside(root, "package.json"))?.["workspaces"];
  return Array.isArray(written) ? strings(written) : strings(asObject(written)?.["packages"]);
}

/**
 * The `packages:` list by its lines. No YAML library here: some texts of a few hundred kilobytes make yaml 2.9
 * end the process for want of memory (`"- "` half a million times), and these come from anywhere.
 */
async function pnpmPatterns(root: string): Promise<readonly string[]> {
  const lines = ((await readInside(root, "pnpm-workspace.yaml")) ?? "").split("\n");
  const start = lines.findIndex((line) => line.startsWith("packages:"));
  if (start === -1) return [];
  const flow = (lines[start] ?? "").slice("packages:".length).trim();
  if (flow.startsWith("[")) return glanceAtToml(`packages = ${flow}`).lists.get("packages") ?? [];
  const patterns: string[] = [];
  for (const line of lines.slice(start + 1)) {
    const item = line.trim();
    if (item === "" || item.startsWith("#")) continue;
    if (!item.startsWith("- ")) break;
    patterns.push(unquoted(item.slice(2).trim()));
  }
  return patterns;
}

function unquoted(text: string): string {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return (text.split(" #")[0] ?? "").trim();
  return text.slice(1).split(quote)[0] ?? "";
}

async function cargoPatterns(root: string): Promise<readonly string[]> {
  const text = await readInside(root, "Cargo.toml");
  return text === null ? [] : (glanceAtToml(text).lists.get("workspace.members") ?? []);
}

async function goPatterns(root: string): Promise<readonly string[]> {
  const text = (await readInside(root, "go.work")) ?? "";
  const block = /^use\s*\(/mu.exec(text);
  const from = block === null ? text.length : block.index + block[0].length;
  const end = text.indexOf(")", from);
  const used = text.slice(from, end === -1 ? from : end).split("\n");
  const single = [...text.matchAll(/^use\s+([^\s(]+)/gmu)].map((match) => match[1] ?? "");
  return [...used.map((line) => (line.split("//")[0] ?? "").trim()), ...single].filter(
    (line) => line !== "",
  );
}

const conventional = [
  /^(?:src\/)?main\.(?:rs|go|py|ts|js|mjs|c|cc|cpp|dart|kt|swift|zig)$/u,
  /^(?:src\/)?(?:index|cli|app|server)\.(?:ts|tsx|js|mjs|py|rb|php)$/u,
  /^src\/lib\.rs$/u,
  /^src\/bin\/[^/]+\.rs$/u,
  /^cmd\/[^/]+\/main\.go$/u,
  /^(?:src\/)?[^/]+\/__main__\.py$/u,
  /^manage\.py$/u,
  /^lib\/main\.dart$/u,
  /\/(?:Main|Program)\.(?:java|cs|kt)$/u,
];

/** What manifests name, then what is usual; at most 50. */
export async function entryPointsOf(
  root: string,
  files: readonly TrackedFile[],
): Promise<readonly EntryPoint[]> {
  const manifest = jsonObject(await readInside(root, "package.json"));
  const python = glanceAtToml((await readInside(root, "pyproject.toml")) ?? "");
  const bin = manifest?.["bin"];
  const named = typeof bin === "string" ? { "": bin } : (asObject(bin) ?? {});
  const points: EntryPoint[] = [];
  for (const [name, file] of Object.entries(named)) {
    if (typeof file === "string")
      points.push({ path: file, from: `package.json bin ${name}`.trim() });
  }
  for (const key of ["main", "module"]) {
    const file = manifest?.[key];
    if (typeof file === "string") points.push({ path: file, from: `package.json ${key}` });
  }
  for (const [key, target] of python.texts) {
    const script = /^project\.scripts\.(.+)$/u.exec(key)?.[1];
    if (script !== undefined)
      points.push({ path: target, from: `pyproject.toml script ${script}` });
  }
  const usual = files
    .filter((file) => conventional.some((pattern) => pattern.test(file.path)))
    .map((file) => ({ path: file.path, from: "convention" }));
  return [...points, ...usual].slice(0, 50).map((point) => ({
    path: short(point.path),
    from: short(point.from),
  }));
}

const testShapes: readonly (readonly [RegExp, string])[] = [
  [/\.(test|spec)\.([cm]?[jt]sx?)$/u, "*.$1.$2"],
  [/(?:^|\/)test_[^/]*\.py$/u, "test_*.py"],
  [/_test\.(py|go|rs|dart|exs?|c|cc|cpp)$/u, "*_test.$1"],
  [/_(spec|test)\.rb$/u, "*_$1.rb"],
  [/(Test|Tests|Spec|IT)\.(java|kt|scala|cs|swift|php)$/u, "*$1.$2"],
  [/^(?:.*\/)?tests?\/[^/]+\.rs$/u, "tests/*.rs"],
  [/\.bats$/u, "*.bats"],
];

/** Where tests stand and how they are called; by name alone. */
export function testLayoutOf(files: readonly TrackedFile[]): TestLayout {
  const folders = new Map<string, number>();
  const patterns = new Map<string, number>();
  let tests = 0;
  let beside = 0;
  for (const { path: file } of files) {
    const shape = testShapes.find(([pattern]) => pattern.test(file));
    if (shape === undefined) continue;
    tests += 1;
    const name = shape[0].exec(file)?.[0].replace(shape[0], shape[1]) ?? "";
    patterns.set(name, (patterns.get(name) ?? 0) + 1);
    const parts = file.split("/").slice(0, -1);
    const at = parts.findIndex((part) => /^(?:__tests__|tests?|specs?|e2e)$/iu.test(part));
    if (at === -1) beside += 1;
    const folder = parts.slice(0, at === -1 ? 1 : at + 1).join("/") || ".";
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  return {
    files: tests,
    folders: byCount(folders).slice(0, 10),
    patterns: byCount(patterns).slice(0, 5),
    beside: tests > 0 && beside * 2 > tests,
  };
}

/** Long enough for any path worth showing. */
function short(text: string): string {
  return text.slice(0, 300);
}

function byCount(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}
