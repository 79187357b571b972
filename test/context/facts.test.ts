/** What hotspots.json, debt.json and coverage.json say of real repositories. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { gatherFacts, type AllFacts } from "../../src/context/gather.ts";
import { renderSummary } from "../../src/context/summary.ts";
import { useScratch, writeFiles } from "../support/scratch-repo.ts";

const scratch = useScratch();

async function factsOf(root: string, now = new Date()): Promise<AllFacts> {
  return await gatherFacts(root, { commands: {}, now });
}

/** One commit more, by `author`, on a day of January 2024. */
function commit(
  root: string,
  files: Readonly<Record<string, string>>,
  { author, day }: { readonly author: string; readonly day: number },
): void {
  writeFiles(root, files);
  scratch.git(root, "add", "--all");
  const date = `2024-01-${String(day).padStart(2, "0")}T12:00:00Z`;
  scratch.git(
    root,
    "commit",
    "--quiet",
    "-m",
    `day ${day}`,
    `--date=${date}`,
    `--author=${author} <${author}@example.org>`,
  );
}

const lines = (count: number, text = "x"): string => `${text}\n`.repeat(count);

describe("hotspots.json (spec 2.7)", () => {
  it("ranks files by changes times lines, with who changed them last, newest first", async () => {
    const root = scratch.repository({ "README.md": lines(900) });
    commit(root, { "long.ts": lines(100), "short.ts": "x\n" }, { author: "ann", day: 1 });
    commit(root, { "short.ts": "y\n" }, { author: "bob", day: 2 });
    commit(root, { "long.ts": lines(100, "y") }, { author: "cid", day: 3 });

    const { hotspots } = await factsOf(root);

    expect(hotspots.history).toMatchObject({ commits: 4, shallow: false, complete: true });
    expect(hotspots.files).toEqual([
      {
        path: "long.ts",
        changes: 2,
        lines: 100,
        score: 200,
        last_authors: ["cid", "ann"],
        last_changed: "2024-01-03T12:00:00.000Z",
      },
      {
        path: "short.ts",
        changes: 2,
        lines: 1,
        score: 2,
        last_authors: ["bob", "ann"],
        last_changed: "2024-01-02T12:00:00.000Z",
      },
    ]);
  });

  it("names files that change together three times and more, and leaves out mass commits and what is gone", async () => {
    const root = scratch.repository({ "x.ts": "0\n" });
    const many = Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`m${n}.ts`, ""]));
    for (let day = 1; day <= 4; day += 1) {
      const text = `${day}\n`;
      const each = Object.fromEntries(Object.keys(many).map((file) => [file, text]));
      commit(root, { "a.ts": text, "b.ts": text, "gone.ts": text }, { author: "ann", day });
      commit(root, each, { author: "ann", day });
    }
    commit(root, { "a.ts": "alone\n" }, { author: "ann", day: 5 });
    scratch.git(root, "rm", "--quiet", "gone.ts");
    scratch.git(root, "commit", "--quiet", "-m", "gone");

    const { hotspots } = await factsOf(root);

    expect(hotspots.together).toEqual([{ files: ["a.ts", "b.ts"], commits: 4, share: 1 }]);
  });

  it("says of a shallow clone that it is one; of no commit that there is none", async () => {
    const origin = scratch.repository({ "a.ts": "// TODO: one\n" }, ["one", "two", "three"]);
    const clone = path.join(scratch.folder(), "clone");
    scratch.git(origin, "clone", "--quiet", "--depth=1", `file://${origin}`, clone);
    const unborn = scratch.folder();
    scratch.git(unborn, "init", "--quiet");

    const shallow = await factsOf(clone);
    const empty = await factsOf(unborn);

    expect(shallow.hotspots.history).toMatchObject({ commits: 1, shallow: true });
    expect(shallow.debt.markers).toMatchObject([{ path: "a.ts", at_least: true }]);
    expect(empty.hotspots.history).toEqual({
      commits: 0,
      since: null,
      shallow: false,
      complete: true,
    });
    expect(renderSummary(empty, null)).not.toContain("Hotspots");
  });
});

describe("debt.json (spec 2.7)", () => {
  it("dates markers in comments by blame, oldest first, those not committed last", async () => {
    const root = scratch.repository({ "README.md": "" });
    commit(root, { "a.ts": "x();\n// TODO(ann): first\n" }, { author: "ann", day: 1 });
    commit(root, { "b.py": "# FIXME later  \n" }, { author: "bob", day: 9 });
    writeFiles(root, { "a.ts": "x();\n// TODO(ann): first\ny(); /* HACK: new */\n" });

    const { debt } = await factsOf(root, new Date("2024-01-11T12:00:00Z"));

    expect(debt.totals).toEqual({ TODO: 1, FIXME: 1, HACK: 1 });
    expect(debt.markers).toEqual([
      {
        path: "a.ts",
        line: 2,
        kind: "TODO",
        text: "TODO(ann): first",
        author: "ann",
        since: "2024-01-01T12:00:00.000Z",
        age_days: 10,
        at_least: false,
      },
      {
        path: "b.py",
        line: 1,
        kind: "FIXME",
        text: "FIXME later",
        author: "bob",
        since: "2024-01-09T12:00:00.000Z",
        age_days: 2,
        at_least: false,
      },
      {
        path: "a.ts",
        line: 3,
        kind: "HACK",
        text: "HACK: new",
        author: null,
        since: null,
        age_days: null,
        at_least: false,
      },
    ]);
  });

  it.each([
    ["// TODO: x", 1],
    ["  * TODO x", 1],
    ["-- FIXME x", 1],
    ["<!-- HACK -->", 1],
    ['const TODO = "x";', 0],
    ['list("TODO");', 0],
    ["// todo: x", 0],
    ["// MY_TODO_LIST", 0],
    ["// see TODO-12.md", 0],
  ])("counts %j as %i", async (line, count) => {
    const root = scratch.repository({ "a.ts": `${line}\n` });

    expect((await factsOf(root)).debt.markers).toHaveLength(count);
  });

  it("lists source files of 800 lines and more, a last line without an end counted", async () => {
    const root = scratch.repository({
      "a.ts": lines(799),
      "b.ts": `${lines(799)}x`,
      "c.ts": lines(1200),
      "vendor/d.ts": lines(5000),
      "data.csv": lines(5000),
    });

    expect((await factsOf(root)).debt.long_files).toEqual([
      { path: "c.ts", lines: 1200 },
      { path: "b.ts", lines: 800 },
    ]);
  });

  it("passes over binary, minified and huge files and a pipe, and survives what is no UTF-8", async () => {
    const root = scratch.repository({
      "binary.ts": `\0${lines(900, "// TODO: no")}`,
      "minified.js": `// TODO: no ${"x".repeat(100_000)}`,
      "pipe.ts": "// TODO: no\n",
    });
    writeFileSync(path.join(root, "huge.ts"), Buffer.alloc(50 * 1024 * 1024, "// TODO: no\n"));
    writeFileSync(path.join(root, "latin.ts"), Buffer.from("// TODO: gr\xfc\xdfe\n", "latin1"));
    scratch.git(root, "add", "--all");
    rmSync(path.join(root, "pipe.ts"));
    execFileSync("mkfifo", [path.join(root, "pipe.ts")]);

    const { debt } = await factsOf(root);

    expect(debt.skipped).toEqual({
      binary: 1,
      minified: 1,
      too_large: 1,
      unreadable: 0,
      large_files: ["huge.ts"],
    });
    expect(debt.markers).toMatchObject([{ path: "latin.ts", text: "TODO: gr\uFFFD\uFFFDe" }]);
  });

  it("reads no file through a folder that is now a symlink out of the repository", async () => {
    const away = scratch.folder();
    writeFiles(away, { "b.ts": lines(900, "// TODO: theirs") });
    const root = scratch.repository({ "dir/b.ts": "1\n", "c.ts": "1\n" });
    rmSync(path.join(root, "dir"), { recursive: true });
    symlinkSync(away, path.join(root, "dir"));
    rmSync(path.join(root, "c.ts"));
    symlinkSync(path.join(away, "b.ts"), path.join(root, "c.ts"));

    const { debt } = await factsOf(root);

    expect(debt.markers).toEqual([]);
    expect(debt.long_files).toEqual([]);
  });

  it("takes 50 000 tracked files", async () => {
    const root = scratch.repository({ "a.ts": "1\n" });
    const blob = scratch.git(root, "rev-parse", "HEAD:a.ts").trim();
    const names = Array.from({ length: 50_000 }, (_, n) => `d${n % 500}/f${n}.ts`);
    execFileSync("git", ["update-index", "--index-info"], {
      cwd: root,
      input: names.map((name) => `100644 ${blob}\t${name}\n`).join(""),
    });
    scratch.git(root, "commit", "--quiet", "-m", "many");
    for (let n = 0; n < 500; n += 1) mkdirSync(path.join(root, `d${n}`));

    const { project, hotspots } = await factsOf(root);

    expect(project.files).toEqual({ tracked: 50_001, foreign: 0, complete: true });
    expect(hotspots.files).toHaveLength(1);
  });
});

describe("coverage.json (spec 2.7)", () => {
  const lcov = (file: string, hits: readonly number[]): string =>
    `SF:${file}\n${hits.map((hit, n) => `DA:${n + 1},${hit}\n`).join("")}end_of_record\n`;

  it("reads the reports that are there, each package's own, and names files from the top", async () => {
    const root = scratch.repository({ "package.json": "{}", "pkg/package.json": "{}" });
    writeFiles(root, {
      "coverage/lcov.info": lcov(path.join(root, "src/a.ts"), [1, 1, 0]) + lcov("/etc/b.ts", [0]),
      "pkg/coverage/lcov.info": lcov("src/c.ts", [0, 0]),
      "coverage.xml": "no report",
    });
    utimesSync(path.join(root, "coverage/lcov.info"), 1_000, 1_000);

    const { coverage } = await factsOf(root);

    expect(coverage.reports).toEqual([
      {
        path: "coverage/lcov.info",
        format: "lcov",
        modified: "1970-01-01T00:16:40.000Z",
        stale: true,
        lines: { covered: 2, total: 4, percent: 50 },
        branches: null,
        functions: null,
      },
      expect.objectContaining({ path: "pkg/coverage/lcov.info", stale: false }),
    ]);
    expect(coverage.files).toEqual([
      { path: "pkg/src/c.ts", lines: { covered: 0, total: 2, percent: 0 } },
      { path: "src/a.ts", lines: { covered: 2, total: 3, percent: 66.6 } },
    ]);
    expect(coverage.unreadable).toEqual(["coverage.xml"]);
  });

  it("follows no symlink to a report outside of the repository", async () => {
    const away = scratch.folder();
    writeFiles(away, { "lcov.info": lcov("src/a.ts", [1]) });
    const root = scratch.repository({ "a.ts": "" });
    symlinkSync(away, path.join(root, "coverage"));

    expect((await factsOf(root)).coverage).toMatchObject({
      reports: [],
      unreadable: ["coverage/lcov.info"],
    });
  });
});
