/** The project's own commands, read from its manifests; nothing of the project is run (spec 2.6, 2.7). */
import { gitRecords } from "./git-facts.ts";
import type { ProjectCommands } from "../engine/ports.ts";
import { asObject } from "../lib/json.ts";
import { existsInside, jsonObject, readInside } from "./read-inside.ts";
import { glanceAtToml, type TomlGlance } from "./toml-glance.ts";

export type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

type Purpose = keyof ProjectCommands;
type Found = Partial<Record<Purpose, string>>;

const purposes: readonly Purpose[] = ["test", "lint", "build", "format", "bench"];

/** What people call these things, best first. */
const names: Readonly<Record<Purpose, readonly string[]>> = {
  test: ["test", "tests"],
  lint: ["lint", "check:lint", "lint-check", "clippy"],
  build: ["build", "compile", "all"],
  format: ["format", "fmt"],
  bench: ["bench", "benchmark", "benchmarks"],
};

/**
 * The commands of the project whose top folder is `root`.
 *
 * What the project names itself wins over what its language usually does: package.json scripts, justfile,
 * Makefile, then Cargo, Go, Python. A config file that overrides them is the caller's to read.
 */
export async function detectCommands(root: string): Promise<ProjectCommands> {
  const found = await Promise.all([
    fromPackageJson(root),
    fromJustfile(root),
    fromMakefile(root),
    fromCargo(root),
    fromGo(root),
    fromPython(root),
  ]);
  const first = (purpose: Purpose): string | null =>
    found.map((commands) => commands[purpose]).find((command) => command !== undefined) ?? null;
  return {
    test: first("test"),
    lint: first("lint"),
    build: first("build"),
    format: first("format"),
    bench: first("bench"),
  };
}

/** By the `packageManager` field, else by the lock file; npm when nothing tells. */
export async function packageManagerOf(root: string): Promise<PackageManager> {
  const manifest = jsonObject(await readInside(root, "package.json"));
  const written = manifest?.["packageManager"];
  const named = typeof written === "string" ? written.split("@")[0] : undefined;
  if (named === "npm" || named === "pnpm" || named === "yarn" || named === "bun") return named;
  const locks = [
    ["pnpm-lock.yaml", "pnpm"],
    ["bun.lock", "bun"],
    ["bun.lockb", "bun"],
    ["yarn.lock", "yarn"],
  ] as const;
  for (const [lock, manager] of locks) {
    if (await existsInside(root, lock)) return manager;
  }
  return "npm";
}

async function fromPackageJson(root: string): Promise<Found> {
  const manifest = jsonObject(await readInside(root, "package.json"));
  const scripts = asObject(manifest?.["scripts"]);
  if (scripts === null) return {};
  // `npm init` writes a test script that only fails
  const usable = new Set(
    Object.entries(scripts)
      .filter(([, script]) => typeof script === "string" && !script.includes("no test specified"))
      .map(([name]) => name),
  );
  const manager = await packageManagerOf(root);
  return pick(usable, (name) => {
    // `bun test` is bun's own runner, not the script
    const short = name === "test" && manager !== "bun";
    return short ? `${manager} test` : `${manager} run ${name}`;
  });
}

async function fromJustfile(root: string): Promise<Found> {
  for (const file of ["justfile", "Justfile", ".justfile"]) {
    const text = await readInside(root, file);
    if (text === null) continue;
    // `recipe args: dependencies`, `@recipe:`; never `name := value` nor an indented line
    return pick(
      matches(text, /^@?([A-Za-z_][\w-]*)(?![\w-])(?=[^:\n]*:(?!=))/gmu),
      (name) => `just ${name}`,
    );
  }
  return {};
}

async function fromMakefile(root: string): Promise<Found> {
  for (const file of ["GNUmakefile", "makefile", "Makefile"]) {
    const text = await readInside(root, file);
    if (text === null) continue;
    const rules = text.split("\n").flatMap((line) => {
      const rule = /^([A-Za-z_][^:=#]*):(?!=)/u.exec(line)?.[1];
      return rule === undefined ? [] : rule.trim().split(/\s+/u);
    });
    const targets = new Set(rules);
    // GNU's word for the tests
    const check = targets.has("check") ? { test: "make check" } : {};
    return { ...check, ...pick(targets, (name) => `make ${name}`) };
  }
  return {};
}

async function fromCargo(root: string): Promise<Found> {
  const text = await readInside(root, "Cargo.toml");
  if (text === null) return {};
  const { tables } = glanceAtToml(text);
  const all = tables.includes("workspace") ? " --workspace" : "";
  const benches = tables.includes("bench") || (await existsInside(root, "benches"));
  return {
    test: `cargo test${all}`,
    lint: `cargo clippy${all} --all-targets -- -D warnings`,
    build: `cargo build${all}`,
    format: all === "" ? "cargo fmt" : "cargo fmt --all",
    ...(benches ? { bench: `cargo bench${all}` } : {}),
  };
}

async function fromGo(root: string): Promise<Found> {
  if (!(await existsInside(root, "go.mod"))) return {};
  const configs = [".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json"];
  const linted = (await Promise.all(configs.map((file) => existsInside(root, file)))).includes(
    true,
  );
  const found = await gitRecords(root, ["grep", "-q", "^func Benchmark", "--", "*_test.go"]);
  return {
    test: "go test ./...",
    lint: linted ? "golangci-lint run" : "go vet ./...",
    build: "go build ./...",
    format: "go fmt ./...",
    ...(found.ok ? { bench: "go test -run '^$' -bench . ./..." } : {}),
  };
}

async function fromPython(root: string): Promise<Found> {
  const files = ["pyproject.toml", "setup.cfg", "tox.ini", "requirements.txt"];
  const dev = ["requirements-dev.txt", "dev-requirements.txt", "setup.py"];
  const texts = await Promise.all([...files, ...dev].map((file) => readInside(root, file)));
  const project = texts[0] === undefined || texts[0] === null ? null : glanceAtToml(texts[0]);
  const said = texts.filter((text) => text !== null).join("\n");
  const has = async (...paths: string[]): Promise<boolean> =>
    (await Promise.all(paths.map((file) => existsInside(root, file)))).includes(true);
  const isPython = said !== "" || (await has("Pipfile"));
  if (!isPython) return {};

  const run = await pythonRunner(root);
  const pytest =
    mentions(said, "pytest") || (await has("pytest.ini", "conftest.py", "tests/conftest.py"));
  const ruff = mentions(said, "ruff") || (await has("ruff.toml", ".ruff.toml"));
  const black = mentions(said, "black");
  const flake8 = mentions(said, "flake8") || (await has(".flake8"));
  const lint = ruff ? "ruff check ." : flake8 ? "flake8" : null;
  const format = black ? "black ." : ruff ? "ruff format ." : null;
  const build = pythonBuild(run, project);
  return {
    ...(pytest ? { test: `${run}pytest` } : {}),
    ...(lint === null ? {} : { lint: run + lint }),
    ...(format === null ? {} : { format: run + format }),
    ...(build === null ? {} : { build }),
    ...(mentions(said, "pytest-benchmark") ? { bench: `${run}pytest --benchmark-only` } : {}),
  };
}

/** `uv run `, `poetry run ` or nothing: an environment that is active already. */
async function pythonRunner(root: string): Promise<"uv run " | "poetry run " | ""> {
  if (await existsInside(root, "uv.lock")) return "uv run ";
  return (await existsInside(root, "poetry.lock")) ? "poetry run " : "";
}

function pythonBuild(run: string, project: TomlGlance | null): string | null {
  if (project === null || !project.tables.includes("build-system")) return null;
  if (run === "uv run ") return "uv build";
  return run === "poetry run " ? "poetry build" : null;
}

/** The tool's name as a word of its own: `pytest`, `"pytest>=8"`, `[tool.pytest.ini_options]`, not `pytest-cov`. */
function mentions(text: string, tool: string): boolean {
  return new RegExp(`(?<![\\w-])${tool}(?![\\w-])`, "u").test(text);
}

function matches(text: string, pattern: RegExp): ReadonlySet<string> {
  return new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ""));
}

/** For each purpose the first of its names that the project has. */
function pick(has: ReadonlySet<string>, command: (name: string) => string): Found {
  const found: Found = {};
  for (const purpose of purposes) {
    const name = names[purpose].find((candidate) => has.has(candidate));
    if (name !== undefined) found[purpose] = command(name);
  }
  return found;
}
