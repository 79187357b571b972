/** `mmm analyze`, `analyze:` and `analysis:` on the built program (spec 2.7). */
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { packageRoot } from "../support/run-cli.ts";

const { version } = JSON.parse(readFileSync(path.join(packageRoot, "package.json"), "utf8")) as {
  readonly version: string;
};

let kitchen: Kitchen | null = null;
const open = async (files?: Readonly<Record<string, string>>): Promise<Kitchen> =>
  (kitchen = await openKitchen([], files));

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

interface Saved {
  readonly mmm: string;
  readonly generated_at: string;
  readonly head: string;
}

const folderOf = ({ repo }: Kitchen): string => path.join(repo.root, ".mmm", "context");

function metadataOf(from: Kitchen): Saved {
  return JSON.parse(readFileSync(path.join(folderOf(from), "metadata.json"), "utf8")) as Saved;
}

/** As if what is saved had been made so many seconds ago; returns what it says from then on. */
function age(from: Kitchen, seconds: number): string {
  const old = new Date(Date.now() - seconds * 1000).toISOString();
  const text = JSON.stringify({ ...metadataOf(from), generated_at: old });
  writeFileSync(path.join(folderOf(from), "metadata.json"), text);
  return old;
}

describe("mmm analyze", () => {
  test("makes the six files, says in metadata.json who made them, and shows the summary or all as JSON", async () => {
    const here = await open({ "package.json": '{"name": "shop"}', "src/a.js": "1\n" });
    const { mmm, repo } = here;
    await repo.write("src/deep/b.js", "");

    const first = await mmm(["analyze"]);
    const made = metadataOf(here);
    const again = await mmm(["analyze", "--format", "json"], {
      cwd: path.join(repo.root, "src", "deep"),
    });
    const elsewhere = await mmm(["analyze", "--path", repo.root], { cwd: repo.base });

    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(/^# shop\n/);
    expect(readdirSync(folderOf(here)).toSorted()).toEqual([
      "coverage.json",
      "debt.json",
      "hotspots.json",
      "metadata.json",
      "project.json",
      "summary.md",
    ]);
    expect(made).toMatchObject({ mmm: version, head: await repo.git("rev-parse", "HEAD") });
    expect(JSON.parse(again.stdout)).toMatchObject({
      project: { name: "shop" },
      hotspots: {},
      debt: {},
      coverage: {},
      metadata: made,
    });
    expect(elsewhere.stdout).toBe(first.stdout);
    expect(await repo.git("status", "--porcelain", "--", ".mmm")).toBe("");
  });

  test("takes what is saved while it is five minutes young; --force does not", async () => {
    const here = await open();
    const { mmm } = here;
    await mmm(["analyze"]);

    const young = age(here, 200);
    await mmm(["analyze"]);
    const kept = metadataOf(here).generated_at;
    await mmm(["analyze", "--force"]);
    const forced = metadataOf(here).generated_at;
    const old = age(here, 301);
    await mmm(["analyze"]);

    expect(kept).toBe(young);
    expect(forced > young).toBe(true);
    expect(metadataOf(here).generated_at > old).toBe(true);
  });

  test.each([
    ["a format nobody knows", ["analyze", "--format", "xml"], 2, "summary, json"],
    ["no repository", ["analyze", "--path", "/"], 3, "not inside a git repository"],
    ["no such folder", ["analyze", "--path", "nowhere"], 3, "there is no directory"],
  ])("refuses %s, and writes nothing", async (_, args, wanted, words) => {
    const here = await open();

    const { code, stdout, stderr } = await here.mmm(args);

    expect({ code, stdout }).toEqual({ code: wanted, stdout: "" });
    expect(stderr).toContain(words);
    expect(existsSync(folderOf(here))).toBe(false);
  });

  test("survives what repositories hold: huge, minified, binary, not UTF-8, links out, submodules, a shallow clone of it", async () => {
    const { mmm, repo } = await open({ "a.ts": "// TODO: one\n" });
    const away = await mkdtemp(path.join(tmpdir(), "mmm-away-"));
    try {
      writeFileSync(path.join(away, "theirs.ts"), "// TODO: theirs\n".repeat(900));
      writeFileSync(path.join(repo.root, "huge.ts"), Buffer.alloc(50 * 1024 * 1024, "// TODO\n"));
      writeFileSync(path.join(repo.root, "min.js"), `//TODO${"x=1;".repeat(100_000)}`);
      writeFileSync(path.join(repo.root, "bin.ts"), Buffer.alloc(100_000));
      writeFileSync(
        path.join(repo.root, "latin.ts"),
        Buffer.from("// TODO: gr\xfc\xdfe\n", "latin1"),
      );
      symlinkSync(path.join(away, "theirs.ts"), path.join(repo.root, "link.ts"));
      symlinkSync(away, path.join(repo.root, "folder"));
      await repo.git("init", "-q", "sub");
      await repo.git("-C", "sub", "commit", "-q", "--allow-empty", "-m", "inside");
      await repo.commitAll("odd files");
      const clone = path.join(away, "clone");
      await repo.git("clone", "-q", "--depth=1", `file://${repo.root}`, clone);

      const whole = await mmm(["analyze", "--format", "json"]);
      const shallow = await mmm(["analyze", "--format", "json"], { cwd: clone });

      for (const [run, isShallow] of [
        [whole, false],
        [shallow, true],
      ] as const) {
        expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "" });
        expect(run.stdout).not.toContain("theirs");
        expect(JSON.parse(run.stdout)).toMatchObject({
          hotspots: { history: { shallow: isShallow } },
          debt: {
            totals: { TODO: 2 },
            skipped: { binary: 1, minified: 1, too_large: 1, large_files: ["huge.ts"] },
          },
        });
      }
    } finally {
      await rm(away, { recursive: true });
    }
  });
});

describe("an analyze step", () => {
  /** Cooks it, and tells what it made and printed. */
  async function cookAnalyze({ cook, repo }: Kitchen, options: string): Promise<string> {
    const { code, stderr } = await cook(`
- {analyze: ${options}, id: a}
- {shell: 'printf %s "\${a.output}" > ../said'}
`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return readFileSync(path.join(repo.base, "said"), "utf8");
  }

  test("has max_cache_age and force_refresh: what is saved counts, or is made again", async () => {
    const here = await open();
    await cookAnalyze(here, "{}");

    const young = age(here, 200);
    await cookAnalyze(here, "{}");
    const byDefault = metadataOf(here).generated_at;
    await cookAnalyze(here, "{max_cache_age: 3m}");
    const tooOld = metadataOf(here).generated_at;
    const old = age(here, 3000);
    await cookAnalyze(here, "{max_cache_age: 3600}");
    const longer = metadataOf(here).generated_at;
    await cookAnalyze(here, "{max_cache_age: 3600, force_refresh: true}");

    expect(byDefault).toBe(young);
    expect(tooOld > young).toBe(true);
    expect(longer).toBe(old);
    expect(metadataOf(here).generated_at > old).toBe(true);
  });

  test("prints the summary, or with `format: json` all of it; `save: false` leaves no file", async () => {
    const here = await open({ "package.json": '{"name": "shop"}' });

    const unsaved = await cookAnalyze(here, "{save: false}");
    const wasThere = existsSync(folderOf(here));
    const summary = await cookAnalyze(here, "{format: summary}");
    const json = await cookAnalyze(here, "{format: json}");

    expect(wasThere).toBe(false);
    expect(existsSync(folderOf(here))).toBe(true);
    for (const text of [unsaved, summary]) expect(text).toMatch(/^# shop\n/);
    expect(JSON.parse(json)).toMatchObject({ project: { name: "shop" } });
  });
});

test("analysis beside a step has max_cache_age and force_refresh as well, and its step sees the result", async () => {
  const here = await open();
  const { cook } = here;
  const run = async (options: string): Promise<string> => {
    const shell = 'test "$MMM_CONTEXT_AVAILABLE" = true && test -s "$MMM_CONTEXT_DIR/summary.md"';
    const { code } = await cook(`[{shell: '${shell}', analysis: ${options}}]`);
    expect(code).toBe(0);
    return metadataOf(here).generated_at;
  };
  await run("true");

  const young = age(here, 200);
  const byDefault = await run("true");
  const switchedOff = age(here, 3000);
  const off = await run("false");
  const longer = await run("{max_cache_age: 1h}");
  const forced = await run("{max_cache_age: 1h, force_refresh: true}");

  expect(byDefault).toBe(young);
  expect([off, longer]).toEqual([switchedOff, switchedOff]);
  expect(forced > switchedOff).toBe(true);
});

test("nothing of the project is run: its commands are named only", async () => {
  const { mmm, repo } = await open({
    Makefile: "$(shell touch ran)\ntest:\n\ttouch ran\n",
    "package.json": '{"scripts": {"test": "touch ran", "prepare": "touch ran"}}',
    ".gitattributes": "*.ts diff=evil\n",
    "a.ts": "// TODO: one\n",
  });
  await repo.git("config", "diff.evil.textconv", "touch ran; cat");
  await repo.git("config", "core.fsmonitor", "touch ran");

  const { code, stdout } = await mmm(["analyze"]);

  expect(code).toBe(0);
  expect(stdout).toContain("- test: ");
  expect(existsSync(path.join(repo.root, "ran"))).toBe(false);
});
