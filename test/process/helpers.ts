import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { onTestFinished } from "vitest";

import type { ShellRequest } from "../../src/engine/ports.ts";
import type { ChildSpec } from "../../src/process/child.ts";
import { Children } from "../../src/process/children.ts";

/** Removed when the test is over. */
export function tempDir(): string {
  const directory = mkdtempSync(join(tmpdir(), "mmm-process-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Nothing that a test starts outlives it. */
export function newChildren(): Children {
  const children = new Children();
  onTestFinished(() => children.killAllNow());
  return children;
}

/** Is there such a process, and is it more than a zombie? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Collects text and lets the test wait for a piece of it. */
export class Heard {
  text = "";
  readonly #waiting = new Set<() => void>();

  readonly take = (piece: string | Buffer): void => {
    this.text += piece.toString();
    for (const wake of this.#waiting) wake();
  };

  /** The groups of the first match, as soon as there is one. */
  match(pattern: RegExp): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = pattern.exec(this.text);
        if (found === null) return;
        this.#waiting.delete(look);
        resolve(found.slice(1));
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The pids printed as `pid N` so far. */
  pids(): number[] {
    return [...this.text.matchAll(/pid (\d+)/g)].map((found) => Number(found[1]));
  }
}

export const NEVER = new AbortController().signal;

/** `sh -c script`, whose output `heard` gets. */
export function shell(script: string, heard: Heard, more: Partial<ChildSpec> = {}): ChildSpec {
  return {
    command: "sh",
    args: ["-c", script],
    cwd: tmpdir(),
    env: {},
    stdin: null,
    timeoutMs: null,
    onStdout: heard.take,
    onStderr: heard.take,
    ...more,
  };
}

export function request(
  directory: string,
  script: string,
  more: Partial<ShellRequest> = {},
): ShellRequest {
  return {
    script,
    cwd: directory,
    env: {},
    stdin: null,
    timeoutMs: null,
    logFile: join(directory, "step.log"),
    splitFiles: null,
    ...more,
  };
}

/** Bundles `source`, which imports from `./src/...`, into a program that node runs by itself. */
export async function program(directory: string, source: string): Promise<string> {
  const outfile = join(directory, "program.mjs");
  await build({
    stdin: {
      contents: source,
      resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
      loader: "ts",
    },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    // Packages of the older kind ask for Node's own modules in the older way.
    banner: {
      js: 'import { createRequire as require_ } from "node:module"; const require = require_(import.meta.url), __filename = import.meta.filename;',
    },
    logLevel: "warning",
  });
  return outfile;
}
