// A repository of its own for each bench, and what is measured in it.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const mmm = fileURLToPath(new URL("../dist/main.js", import.meta.url));
export const bare = fileURLToPath(new URL("bare.mjs", import.meta.url));

/** Calls `work` with a repository of one commit that holds `files`; it is gone afterwards. */
export async function inRepository(files, work) {
  const top = mkdtempSync(path.join(tmpdir(), "mmm-bench-"));
  const repository = path.join(top, "repository");
  const env = {
    PATH: process.env.PATH,
    HOME: top,
    TMPDIR: top,
    LC_ALL: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: path.join(top, "gitconfig"),
  };
  const git = (...args) => execFileSync("git", args, { cwd: repository, env, stdio: "pipe" });
  try {
    mkdirSync(repository);
    writeFileSync(env.GIT_CONFIG_GLOBAL, "[user]\n\tname = bench\n\temail = bench@localhost\n");
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(repository, name)), { recursive: true });
      writeFileSync(path.join(repository, name), text);
    }
    git("init", "--quiet", "--initial-branch=main");
    git("add", "--all");
    git("commit", "--quiet", "--message=start");
    return await work({ repository, env });
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

/** Runs `node ARGS` to its end; milliseconds of wall time. Throws when the exit code is another one. */
export async function time(args, { repository, env }, expected = 0) {
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: repository,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const { code, stderr } = await endOf(child);
  const ms = performance.now() - started;
  if (code !== expected) {
    throw new Error(`node ${args.join(" ")} exited with ${code} instead of ${expected}: ${stderr}`);
  }
  return ms;
}

export function endOf(child) {
  return new Promise((resolve, reject) => {
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stderr }));
  });
}

/** How often the high-water mark is read; it never falls, so only the very last moment is missed. */
const EVERY_MS = 5;

/** Watches a process's resident memory; `stop` says its peak in KiB. */
export function peakKbOf(pid) {
  let peakKb = 0;
  const watch = setInterval(() => {
    peakKb = Math.max(peakKb, highWaterKb(pid));
  }, EVERY_MS);
  return {
    stop() {
      clearInterval(watch);
      if (peakKb === 0) throw new Error("no VmHWM in /proc: this bench needs Linux");
      return peakKb;
    },
  };
}

/** 0: gone. */
function highWaterKb(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Median, least and most. */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.round((sorted.length - 1) * part)];
  return { median: at(0.5), min: at(0), max: at(1) };
}
