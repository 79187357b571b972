import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { detectCommands } from "../../src/context/project-commands.ts";
import { useScratch, writeFiles } from "../support/scratch-repo.ts";

const scratch = useScratch();

const none = { test: null, lint: null, build: null, format: null, bench: null };

function project(files: Readonly<Record<string, string>>): string {
  const root = scratch.folder();
  writeFiles(root, files);
  return root;
}

const scripts = JSON.stringify({
  scripts: { test: "x", lint: "x", build: "x", format: "x", bench: "x" },
});

describe("the project's own commands (spec 2.6)", () => {
  it("are all null in an empty folder", async () => {
    expect(await detectCommands(project({}))).toEqual(none);
  });

  it.each([
    ["package-lock.json", "npm test", "npm run lint"],
    ["pnpm-lock.yaml", "pnpm test", "pnpm run lint"],
    ["yarn.lock", "yarn test", "yarn run lint"],
    ["bun.lock", "bun run test", "bun run lint"],
  ])("go through the package manager that %s stands for", async (lock, test, lint) => {
    const found = await detectCommands(project({ "package.json": scripts, [lock]: "" }));

    expect(found).toMatchObject({ test, lint });
  });

  it("let the packageManager field beat the lock file", async () => {
    const manifest = JSON.stringify({ packageManager: "pnpm@9.1.0", scripts: { test: "x" } });

    const found = await detectCommands(project({ "package.json": manifest, "yarn.lock": "" }));

    expect(found.test).toBe("pnpm test");
  });

  it("leave out the script that npm init writes, and scripts that are no text", async () => {
    const manifest = JSON.stringify({
      scripts: { test: 'echo "Error: no test specified" && exit 1', lint: 3, fmt: "x" },
    });

    expect(await detectCommands(project({ "package.json": manifest }))).toEqual({
      ...none,
      format: "npm run fmt",
    });
  });

  it("are cargo's in a Rust project, for the workspace when there is one", async () => {
    const single = await detectCommands(project({ "Cargo.toml": '[package]\nname = "a"\n' }));
    const many = project({ "Cargo.toml": "[workspace]\nmembers = []\n", "benches/a.rs": "" });

    expect(single).toEqual({
      test: "cargo test",
      lint: "cargo clippy --all-targets -- -D warnings",
      build: "cargo build",
      format: "cargo fmt",
      bench: null,
    });
    expect(await detectCommands(many)).toMatchObject({
      test: "cargo test --workspace",
      format: "cargo fmt --all",
      bench: "cargo bench --workspace",
    });
  });

  it("are go's in a Go project, with bench only where a benchmark is tracked", async () => {
    const plain = scratch.repository({ "go.mod": "module x\n", "a_test.go": "package a\n" });
    const fast = scratch.repository({
      "go.mod": "module x\n",
      ".golangci.yml": "",
      "in/a_test.go": "package a\n\nfunc BenchmarkA(b *testing.B) {}\n",
    });

    expect(await detectCommands(plain)).toEqual({
      test: "go test ./...",
      lint: "go vet ./...",
      build: "go build ./...",
      format: "go fmt ./...",
      bench: null,
    });
    expect(await detectCommands(fast)).toMatchObject({
      lint: "golangci-lint run",
      bench: "go test -run '^$' -bench . ./...",
    });
  });

  it("are pytest and ruff in a Python project that names them", async () => {
    const pyproject = "[tool.pytest.ini_options]\naddopts = '-q'\n[tool.ruff]\nline-length = 90\n";

    expect(await detectCommands(project({ "pyproject.toml": pyproject }))).toEqual({
      ...none,
      test: "pytest",
      lint: "ruff check .",
      format: "ruff format .",
    });
  });

  it("run through uv or poetry where their lock file lies", async () => {
    const pyproject =
      '[build-system]\nrequires = []\n[dependency-groups]\ndev = ["pytest>=8", "black"]\n';

    expect(await detectCommands(project({ "pyproject.toml": pyproject, "uv.lock": "" }))).toEqual({
      ...none,
      test: "uv run pytest",
      format: "uv run black .",
      build: "uv build",
    });
    expect(
      await detectCommands(project({ "pyproject.toml": pyproject, "poetry.lock": "" })),
    ).toMatchObject({ test: "poetry run pytest", build: "poetry build" });
  });

  it("take a plug-in of pytest for no pytest", async () => {
    const found = await detectCommands(project({ "requirements.txt": "pytest-cov==5\n" }));

    expect(found).toEqual(none);
  });

  it("are recipes of a justfile, not its settings, aliases or bodies", async () => {
    const justfile = [
      'set shell := ["bash", "-c"]',
      'lint := "x"',
      "",
      "test filter='': build",
      "  cargo test {{filter}}",
      "@fmt:",
      "  bench: no",
      "build:",
    ].join("\n");

    expect(await detectCommands(project({ justfile }))).toEqual({
      ...none,
      test: "just test",
      format: "just fmt",
      build: "just build",
    });
  });

  it("are targets of a Makefile, several on a line included, not variables", async () => {
    const makefile = ".PHONY: lint\nbuild := x\nCC = test\nall test: a.o\n\tcc\nfmt:\n";

    expect(await detectCommands(project({ Makefile: makefile }))).toEqual({
      ...none,
      test: "make test",
      build: "make all",
      format: "make fmt",
    });
    expect(await detectCommands(project({ Makefile: "check:\n" }))).toEqual({
      ...none,
      test: "make check",
    });
  });

  it("prefer what the project names itself to what its language usually does", async () => {
    const root = project({
      "Cargo.toml": "[package]\n",
      justfile: "test:\n  x\n",
      Makefile: "test:\n",
    });

    const found = await detectCommands(root);

    expect(found.test).toBe("just test");
    expect(found.build).toBe("cargo build");
  });

  it("survive manifests that are broken, huge, folders, or outside of the repository (spec 2.7)", async () => {
    const away = project({ "package.json": scripts, justfile: "test:\n" });
    const root = project({
      "pyproject.toml": "[[[\n= = =\n\"'\n",
      "Cargo.toml/x": "",
      Makefile: `test:\n${"#".repeat(1024 * 1024)}`,
    });
    symlinkSync(path.join(away, "package.json"), path.join(root, "package.json"));
    symlinkSync(path.join(away, "justfile"), path.join(root, "justfile"));
    mkdirSync(path.join(root, "sub"));
    const broken = project({ "package.json": '{ "scripts": { "test": ' });

    expect(await detectCommands(root)).toEqual(none);
    expect(await detectCommands(broken)).toEqual(none);
    expect(await detectCommands(project({ "package.json": '{"scripts": ["test"]}' }))).toEqual(
      none,
    );
  });
});
