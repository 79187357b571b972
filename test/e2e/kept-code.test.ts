/** What V8 compiled is kept for the next start (decision 0028), and nothing but the time depends on it. */
import { execFileSync } from "node:child_process";
import {
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { execa } from "execa";
import { type CliResult, mainFile, runCli } from "../support/run-cli.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), "mmm-kept-"));
  writeFileSync(path.join(home, "good.yml"), '- shell: "true"\n- claude: "say hello"\n');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const name = `validate-node${process.versions.node.split(".", 1)[0]}`;
const cacheFile = (): string => path.join(home, ".mmm", "cache", name);

async function validate(
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<CliResult> {
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
    ["another build of mmm has left it", (kept: Buffer) => madeBy(kept, (sum) => `0${sum}`)],
    [
      "another version of Node has left it",
      (kept: Buffer) => madeBy(kept, (sum) => sum.replace(/v[\d.]+/, "v20.0.0")),
    ],
    ["what V8 is to take is not its own", (kept: Buffer) => emptied(kept)],
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
    expect(headOf(again).madeBy).toBe(headOf(whole).madeBy);
    expect(readdirSync(path.dirname(cacheFile()))).toEqual([name]);
  });

  it("is for each command by itself", async () => {
    await validate();
    await runCli(["--version"], { cwd: home, env: { HOME: home } });

    const names = readdirSync(path.dirname(cacheFile()));

    expect(names.sort()).toEqual([name.replace("validate", "mmm"), name]);
  });

  it("lies in MMM_HOME when that is set, there or not", async () => {
    await validate({ MMM_HOME: path.join(home, "mine") });

    expect(readdirSync(path.join(home, "mine", "cache"))).toEqual([name]);
    expect(readdirSync(home).sort()).toEqual(["good.yml", "mine"]);
  });

  it("is no dirt where the home is the repository", async () => {
    const env = { HOME: home, PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1" };
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: home, env, encoding: "utf8" });
    writeFileSync(path.join(home, "good.yml"), '- shell: "true"\n');
    git("config", "--global", "user.name", "a");
    git("config", "--global", "user.email", "a@localhost");
    git("init", "--quiet");
    git("add", ".");
    git("commit", "--quiet", "--message=start");
    await validate();

    const { code, stderr } = await runCli(["cook", "good.yml"], { cwd: home, env: { HOME: home } });

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(path.dirname(cacheFile())).length).toBe(2);
  });

  it("is not kept when NODE_DISABLE_COMPILE_CACHE says so", async () => {
    expect(await validate({ NODE_DISABLE_COMPILE_CACHE: "1" })).toEqual(good);

    expect(readdirSync(home)).toEqual(["good.yml"]);
  });

  it("is not kept by a dry run, which writes nothing", async () => {
    await runCli(["cook", "good.yml", "--dry-run"], { cwd: home, env: { HOME: home } });

    expect(readdirSync(home)).toEqual(["good.yml"]);
  });

  it.each([
    ["there is no home", { HOME: undefined }],
    ["the home is empty", { HOME: "" }],
    ["the home is no path from the root", { HOME: "." }],
    ["the home is not there, and it is not made", { HOME: "/nonexistent/of/mmm" }],
    ["the home is a file", { HOME: path.resolve("package.json") }],
    ["the home cannot be written", { HOME: "/proc/self" }],
  ])("is not kept where %s", async (_, env) => {
    expect(await validate(env)).toEqual(good);

    expect(readdirSync(home)).toEqual(["good.yml"]);
  });

  it("is not kept where the folder cannot be made", async () => {
    writeFileSync(path.join(home, ".mmm"), "a file");

    expect(await validate()).toEqual(good);

    expect(readdirSync(home).sort()).toEqual([".mmm", "good.yml"]);
  });

  it.runIf(process.getuid?.() === 0)(
    "is neither left in the home of another user nor taken from it",
    async () => {
      await validate();
      const theirs = flipped(readFileSync(cacheFile()));
      writeFileSync(cacheFile(), theirs);
      for (const place of [home, path.dirname(cacheFile()), cacheFile()]) chownSync(place, 1, 1);

      expect(await validate()).toEqual(good);

      expect(readFileSync(cacheFile())).toEqual(theirs);
      expect(readdirSync(path.dirname(cacheFile()))).toEqual([name]);
    },
  );

  it("leaves nothing half where the disk is full, and what one left that was killed is gone", async () => {
    const limited = await execa(
      "sh",
      [
        "-c",
        `trap "" XFSZ; ulimit -f 100; exec "$0" "$@"`,
        process.execPath,
        mainFile,
        "validate",
        "good.yml",
      ],
      { cwd: home, env: { HOME: home }, reject: false, stripFinalNewline: false },
    );
    expect([limited.exitCode, limited.stdout, limited.stderr]).toEqual([0, good.stdout, ""]);
    expect(readdirSync(path.dirname(cacheFile()))).toEqual([]);

    writeFileSync(`${cacheFile()}.new`, "half");
    expect(await validate()).toEqual(good);
    expect(await validate()).toEqual(good);

    expect(readdirSync(path.dirname(cacheFile()))).toEqual([name]);
  });

  it("is whole after many that start at once", async () => {
    const all = await Promise.all(Array.from({ length: 6 }, async () => await validate()));

    expect(all).toEqual(all.map(() => good));
    await validate();
    const kept = readFileSync(cacheFile());
    expect(kept.subarray(0, kept.length / 2)).toEqual(kept.subarray(kept.length / 2));
    expect(readdirSync(path.dirname(cacheFile()))).toEqual([name]);
  });

  it("is used where mmm is called by a link, out of a folder with spaces and umlauts", async () => {
    const odd = path.join(home, "größe & co");
    cpSync(path.dirname(mainFile), path.join(odd, "dist"), { recursive: true });
    symlinkSync(path.join(odd, "dist", "main.js"), path.join(home, "mmm"));
    const link = async (): Promise<unknown> => {
      const run = { cwd: home, env: { HOME: home }, stripFinalNewline: false } as const;
      return (await execa(path.join(home, "mmm"), ["validate", "good.yml"], run)).stdout;
    };

    expect(await link()).toBe(good.stdout);
    const first = statSync(cacheFile()).mtimeMs;
    expect(await link()).toBe(good.stdout);

    expect(statSync(cacheFile()).mtimeMs).toBe(first);
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

/** With another word for who made it, in each of its two halves. */
function madeBy(kept: Buffer, other: (maker: string) => string): Buffer {
  const { madeBy: maker } = headOf(kept);
  return Buffer.from(kept.toString("latin1").replaceAll(maker, other(maker)), "latin1");
}

/** What V8 takes is all zeros, and the file is otherwise right. */
function emptied(kept: Buffer): Buffer {
  const half = Buffer.from(kept.subarray(0, kept.length / 2));
  half.fill(0, half.indexOf("\n") + 1);
  return Buffer.concat([half, half]);
}

function headOf(kept: Buffer): { readonly madeBy: string } {
  return JSON.parse(kept.toString("latin1", 0, kept.indexOf("\n"))) as { readonly madeBy: string };
}
