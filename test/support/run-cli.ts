/** Runs the built program as a user would: a clean environment, nothing of this machine. */
import { existsSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";

export const packageRoot = path.resolve(import.meta.dirname, "..", "..");
export const mainFile = path.join(packageRoot, "dist", "main.js");

export interface CliResult {
  /** `null`: ended by a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  /** Added to PATH, HOME and git's settings for tests. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onStart?: (child: { readonly pid: number; kill(signal: NodeJS.Signals): void }) => void;
  readonly onStdout?: (text: string) => void;
}

/** `npm test` builds first; running vitest alone uses what was built last. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  if (!existsSync(mainFile)) throw new Error("dist/main.js is missing: npm run build");
  const child = execa(process.execPath, [mainFile, ...args], {
    cwd: options.cwd,
    env: {
      PATH: process.env["PATH"],
      HOME: "/nonexistent",
      LANG: "C.UTF-8",
      GIT_CONFIG_NOSYSTEM: "1",
      ...options.env,
    },
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    stripFinalNewline: false,
  });
  child.stdout.on("data", (chunk: Buffer | string) => options.onStdout?.(String(chunk)));
  options.onStart?.({ pid: child.pid ?? -1, kill: (signal) => child.kill(signal) });
  const { exitCode, signal, stdout, stderr } = await child;
  return { code: exitCode ?? null, signal: signal ?? null, stdout, stderr };
}
