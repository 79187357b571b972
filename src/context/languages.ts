/** Which language a file is in, by its name alone, and whether people wrote it. */
import path from "node:path";
import type { TrackedFile } from "./git-facts.ts";

export interface LanguageShare {
  readonly language: string;
  readonly files: number;
  readonly bytes: number;
  /** Of all counted bytes, one decimal. */
  readonly percent: number;
}

/** `Language: endings`; prose and data formats are left out on purpose, as in GitHub's bar. */
const table: Readonly<Record<string, string>> = {
  TypeScript: "ts mts cts tsx",
  JavaScript: "js mjs cjs jsx",
  Python: "py pyi pyw",
  Rust: "rs",
  Go: "go",
  Java: "java",
  Kotlin: "kt kts",
  Scala: "scala sc",
  Groovy: "groovy gradle",
  Clojure: "clj cljs cljc",
  C: "c h",
  "C++": "cc cpp cxx c++ hh hpp hxx ino",
  "C#": "cs",
  "F#": "fs fsx fsi",
  "Objective-C": "m mm",
  Swift: "swift",
  Dart: "dart",
  Ruby: "rb rake gemspec",
  PHP: "php",
  Perl: "pl pm",
  Lua: "lua",
  R: "r",
  Julia: "jl",
  Haskell: "hs lhs",
  OCaml: "ml mli",
  Elixir: "ex exs",
  Erlang: "erl hrl",
  Gleam: "gleam",
  Zig: "zig",
  Nim: "nim",
  Crystal: "cr",
  D: "d",
  Fortran: "f90 f95 f03 f for",
  Assembly: "asm s",
  Shell: "sh bash zsh fish ksh",
  PowerShell: "ps1 psm1",
  SQL: "sql",
  HTML: "html htm",
  CSS: "css",
  SCSS: "scss sass",
  Less: "less",
  Vue: "vue",
  Svelte: "svelte",
  Astro: "astro",
  Terraform: "tf hcl",
  Nix: "nix",
  Protobuf: "proto",
  GraphQL: "graphql gql",
  Solidity: "sol",
};

const byEnding = new Map(
  Object.entries(table).flatMap(([language, endings]) =>
    endings.split(" ").map((ending) => [ending, language] as const),
  ),
);

const byName = new Map([
  ["Makefile", "Makefile"],
  ["GNUmakefile", "Makefile"],
  ["makefile", "Makefile"],
  ["Dockerfile", "Dockerfile"],
  ["CMakeLists.txt", "CMake"],
  ["Rakefile", "Ruby"],
  ["Gemfile", "Ruby"],
  ["justfile", "Just"],
  ["Justfile", "Just"],
  ["Jenkinsfile", "Groovy"],
]);

const foreignFolders = new Set(
  `
  node_modules bower_components vendor vendored third_party thirdparty external dist
  build target out coverage Pods Carthage __pycache__ site-packages .venv venv .yarn
  .mmm .claude __snapshots__
`
    .trim()
    .split(/\s+/u),
);

const generatedName =
  /(?:\.min\.(?:js|css|mjs)|\.bundle\.js|\.generated\.[a-z]+|[._]pb2?(?:_grpc)?\.[a-z]+|\.g\.(?:dart|cs)|\.designer\.cs|_generated\.[a-z]+|\.d\.ts)$/iu;

/** `null`: prose, data, or unknown. */
export function languageOf(file: string): string | null {
  const name = path.posix.basename(file);
  const named = byName.get(name);
  if (named !== undefined) return named;
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? null : (byEnding.get(name.slice(dot + 1).toLowerCase()) ?? null);
}

const lockFiles = new Set(
  `
  package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock
  Cargo.lock poetry.lock uv.lock pdm.lock Pipfile.lock go.sum go.work.sum Gemfile.lock composer.lock
  mix.lock pubspec.lock flake.lock gradle.lockfile
`
    .trim()
    .split(/\s+/u),
);

/** Vendored, built or generated: not what the people of this repository write. */
export function isForeign(file: string): boolean {
  const folders = file.split("/").slice(0, -1);
  if (folders.some((folder) => foreignFolders.has(folder)) || generatedName.test(file)) return true;
  return lockFiles.has(path.posix.basename(file));
}

/** Most bytes first; ties by name. */
export function languageShares(files: readonly TrackedFile[]): readonly LanguageShare[] {
  const sums = new Map<string, { files: number; bytes: number }>();
  let total = 0;
  for (const file of files) {
    const language = languageOf(file.path);
    if (language === null) continue;
    const sum = sums.get(language) ?? { files: 0, bytes: 0 };
    sums.set(language, { files: sum.files + 1, bytes: sum.bytes + file.size });
    total += file.size;
  }
  return [...sums]
    .map(([language, sum]) => ({
      language,
      ...sum,
      percent: total === 0 ? 0 : Math.round((sum.bytes * 1000) / total) / 10,
    }))
    .sort((a, b) => b.bytes - a.bytes || a.language.localeCompare(b.language, "en"));
}
