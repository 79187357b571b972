/** A repository, a fake Claude and the built `mmm` in it; every run has a deadline, so that a hang is a failure. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { type FakeClaude, type FakeScenario, fakeClaude } from "../support/fake-claude.ts";
import { mainFile } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Over the rig's own; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Shell text around it; `"$@"` is mmm with its arguments. */
  readonly around?: string;
  /** Default 60 s; ended with SIGKILL then, which no expectation accepts. */
  readonly deadlineMs?: number;
}

export interface Rig {
  readonly repo: TempRepo;
  readonly claude: FakeClaude;
  /** A folder outside of the repository for what steps write down; `$OUT` in their environment. */
  readonly out: string;
  readonly env: Readonly<Record<string, string>>;
  mmm(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Files of `out`: name to content. */
  received(): Promise<Readonly<Record<string, string>>>;
  dispose(): Promise<void>;
}

export interface RigOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly claude?: FakeScenario;
}

const anyPrompt: FakeScenario = { calls: [{ times: "always" }] };

export async function makeRig(options: RigOptions = {}): Promise<Rig> {
  const repo = await makeRepo(
    options.files,
    options.folder === undefined ? {} : { folder: options.folder },
  );
  const claude = await fakeClaude(options.claude ?? anyPrompt);
  const out = path.join(repo.base, "out");
  await mkdir(out);
  const env = {
    ...repo.env,
    OUT: out,
    MMM_CLAUDE_BIN: claude.bin,
    // The fake is no danger to anybody, and CI may be root.
    IS_SANDBOX: "1",
  };
  return {
    repo,
    claude,
    out,
    env,
    mmm: async (args, run = {}) =>
      await start(args, { cwd: repo.root, ...run, env: { ...env, ...run.env } }),
    received: async () => {
      const names = await readdir(out);
      const texts = names.map(async (name) => [name, await readFile(path.join(out, name), "utf8")]);
      return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
    },
    dispose: async () => {
      await claude.dispose();
      await repo.dispose();
    },
  };
}

async function start(
  args: readonly string[],
  { cwd, env, around, deadlineMs }: RunOptions,
): Promise<Ran> {
  if (!existsSync(mainFile)) throw new Error("dist/main.js is missing: npm run build");
  const line = [process.execPath, mainFile, ...args];
  const [program = "", ...rest] =
    around === undefined ? line : ["/bin/sh", "-c", around, "sh", ...line];
  const child = spawn(program, rest, {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const chunks: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = {
    stdout: [],
    stderr: [],
  };
  child.stdout.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
  const deadline = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  }, deadlineMs ?? 100_000);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done, fail) => {
    child.on("error", fail);
    child.on("close", (...end) => done(end));
  });
  clearTimeout(deadline);
  return {
    code,
    signal,
    stdout: Buffer.concat(chunks.stdout).toString("utf8"),
    stderr: Buffer.concat(chunks.stderr).toString("utf8"),
  };
}

/** The promise to every user (spec 1.1): a code of the table, no stack, no bug message, ended by itself. */
export function expectDecent(ran: Ran, codes: readonly number[]): void {
  const shown = `exit ${ran.code ?? ran.signal ?? "?"}\n${ran.stdout.slice(-2000)}\n${ran.stderr.slice(-2000)}`;
  expect(codes, shown).toContain(ran.code);
  expect(ran.stderr, shown).not.toMatch(/^ {4}at |this is a bug in mmm|UnhandledPromise/m);
  expect(ran.stdout, shown).not.toMatch(/^ {4}at /m);
  if (ran.code !== 0 && ran.code !== 1) expect(ran.stderr, shown).not.toBe("");
}
