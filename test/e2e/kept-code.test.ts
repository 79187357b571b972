/** What V8 compiled is kept for the next start (decision 0028), and nothing but the time depends on it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CliResult, runCli } from "../support/run-cli.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), "mmm-kept-"));
  writeFileSync(path.join(home, "good.yml"), '- shell: "true"\n- claude: "say hello"\n');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const name = `validate-${process.version}-${process.arch}`;
const cacheFile = (): string => path.join(home, ".cache", "mmm", "code", name);

async function validate(env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return await runCli(["validate", "good.yml"], { cwd: home, env: { HOME: home, ...env } });
}

const good = { code: 0, signal: null, stdout: "good.yml: ok\n", stderr: "" };

describe("the code that V8 compiled", () => {
  it("is kept by the first start and left as it is by the second", async () => {
    expect(await validate()).toEqual(good);
    const first = readFileSync(cacheFile());

    expect(await validate()).toEqual(good);

    expect(readFileSync(cacheFile())).toEqual(first);
    expect(readdirSync(path.dirname(cacheFile()))).toEqual([name]);
  });

  it.each([
    ["a byte of it has changed", (kept: Buffer) => flipped(kept)],
    ["its second half is missing", (kept: Buffer) => kept.subarray(0, kept.length / 2)],
    ["it is empty", () => Buffer.alloc(0)],
    ["it is something else", () => Buffer.from("no cache\nno cache\n")],
    ["another build of mmm has left it", (kept: Buffer) => ofAnotherBuild(kept)],
  ])("is made again when %s, and mmm says the same", async (_, damage) => {
    await validate();
    const whole = readFileSync(cacheFile());
    const damaged = damage(whole);
    expect(damaged).not.toEqual(whole);
    writeFileSync(cacheFile(), damaged);

    expect(await validate()).toEqual(good);

    const again = readFileSync(cacheFile());
    expect(again.length).toBeGreaterThan(100_000);
    expect(again).not.toEqual(damaged);
    expect(headOf(again).build).toBe(headOf(whole).build);
  });

  it("is for each command by itself", async () => {
    await validate();
    await runCli(["--version"], { cwd: home, env: { HOME: home } });

    const names = readdirSync(path.dirname(cacheFile()));

    expect(names.sort()).toEqual([name.replace("validate", "mmm"), name]);
  });

  it("lies in XDG_CACHE_HOME when that is set", async () => {
    await validate({ XDG_CACHE_HOME: path.join(home, "caches") });

    expect(readdirSync(path.join(home, "caches", "mmm", "code"))).toEqual([name]);
    expect(readdirSync(home).sort()).toEqual(["caches", "good.yml"]);
  });

  it("is not kept when NODE_DISABLE_COMPILE_CACHE says so", async () => {
    expect(await validate({ NODE_DISABLE_COMPILE_CACHE: "1" })).toEqual(good);

    expect(readdirSync(home)).toEqual(["good.yml"]);
  });

  it("is not kept by a dry run, which writes nothing", async () => {
    await runCli(["cook", "good.yml", "--dry-run"], { cwd: home, env: { HOME: home } });

    expect(readdirSync(home)).toEqual(["good.yml"]);
  });

  it("is not kept where it cannot be, and a home that is not there is not made", async () => {
    writeFileSync(path.join(home, ".cache"), "a file");
    expect(await validate()).toEqual(good);

    const away = path.join(home, "away");
    expect(await validate({ HOME: away })).toEqual(good);

    expect(readdirSync(home).sort()).toEqual([".cache", "good.yml"]);
  });

  it("is not taken from a folder in its place", async () => {
    mkdirSync(cacheFile(), { recursive: true });

    expect(await validate()).toEqual(good);
  });
});

function flipped(kept: Buffer): Buffer {
  const copy = Buffer.from(kept);
  const at = Math.floor(copy.length / 3);
  copy[at] = (copy[at] ?? 0) ^ 0x55;
  return copy;
}

/** Of each of its two halves the sum of the build. */
function ofAnotherBuild(kept: Buffer): Buffer {
  const { build } = headOf(kept);
  const other = `${build.slice(0, -1)}${build.endsWith("0") ? "1" : "0"}`;
  return Buffer.from(kept.toString("latin1").replaceAll(build, other), "latin1");
}

function headOf(kept: Buffer): { readonly build: string } {
  return JSON.parse(kept.toString("latin1", 0, kept.indexOf("\n"))) as { readonly build: string };
}
