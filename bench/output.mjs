// A step that prints 1 GB: all of it on disk, little of it in memory.
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { endOf, inRepository, mmm, peakKbOf, spread } from "./scratch.mjs";

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
  const peak = peakKbOf(child.pid);
  const { code, stderr } = await endOf(child);
  const peakKb = peak.stop();
  if (code !== 0) throw new Error(`mmm cook exited with ${code}: ${stderr}`);
  const size = logBytes(repository);
  if (size !== bytes) throw new Error(`the log has ${size} of ${bytes} bytes`);
  return (peakKb * 1024) / 1e6;
}

function logBytes(repository) {
  const sessions = path.join(repository, ".mmm", "sessions");
  const logs = readdirSync(sessions, { recursive: true }).filter((name) => name.endsWith(".log"));
  return logs.reduce((sum, name) => sum + statSync(path.join(sessions, name)).size, 0);
}
