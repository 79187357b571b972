// A step that prints 1 GB: all of it on disk, little of it in memory.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { endOf, inRepository, mmm, spread } from "./scratch.mjs";

/** How often the high-water mark is read; it never falls, so only the very last moment is missed. */
const EVERY_MS = 5;

export async function output({ tiny }) {
  const bytes = tiny ? 1_000_000 : 1_000_000_000;
  const playbook = `- shell: yes 0123456789abcdef | head -c ${bytes}\n`;
  const peaks = [];
  for (let run = 0; run < (tiny ? 1 : 3); run += 1) {
    peaks.push(await inRepository({ "output.yml": playbook }, (place) => peakOf(place, bytes)));
  }
  return [
    { name: `a step prints ${bytes / 1e6} MB: peak`, spread: spread(peaks), unit: "MB", bar: 150 },
  ];
}

/** MB of resident memory at the peak; throws unless the log is whole. */
async function peakOf({ repository, env }, bytes) {
  const child = spawn(process.execPath, [mmm, "cook", "output.yml"], {
    cwd: repository,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let peakKb = 0;
  const watch = setInterval(() => {
    peakKb = Math.max(peakKb, highWaterKb(child.pid));
  }, EVERY_MS);
  const { code, stderr } = await endOf(child);
  clearInterval(watch);
  if (code !== 0) throw new Error(`mmm cook exited with ${code}: ${stderr}`);
  if (peakKb === 0) throw new Error("no VmHWM in /proc: this bench needs Linux");
  const size = logBytes(repository);
  if (size !== bytes) throw new Error(`the log has ${size} of ${bytes} bytes`);
  return (peakKb * 1024) / 1e6;
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

function logBytes(repository) {
  const sessions = path.join(repository, ".mmm", "sessions");
  const logs = readdirSync(sessions, { recursive: true }).filter((name) => name.endsWith(".log"));
  return logs.reduce((sum, name) => sum + statSync(path.join(sessions, name)).size, 0);
}
