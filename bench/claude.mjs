// What mmm adds to a Claude step: its own processor time beside the CLI's, memory over a long stream, a replayed step.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { endOf, inRepository, mmm, peakKbOf, spread, time } from "./scratch.mjs";

/**
 * Writes, when this process ends, its own processor time, and how much of that went into starting children:
 * their own time is in neither.
 */
const METER = `import children from "node:child_process";
import { writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const ms = ({ user, system }) => (user + system) / 1000;
let starting = 0;
for (const name of ["spawn", "spawnSync"]) {
  const start = children[name];
  children[name] = (...args) => {
    const before = process.cpuUsage();
    try {
      return start(...args);
    } finally {
      starting += ms(process.cpuUsage(before));
    }
  };
}
syncBuiltinESMExports();
process.on("exit", () => {
  const cpu = ms(process.cpuUsage());
  writeFileSync(process.env.CPU_FILE, JSON.stringify({ cpu, starting }));
});
`;

const RESULT =
  '{"type":"result","subtype":"success","is_error":false,"result":"ok","session_id":"s","num_turns":1,' +
  '"modelUsage":{"m":{"costUSD":0.01,"inputTokens":1,"outputTokens":1}}}';

const QUICK = `#!/bin/sh
echo '{"type":"system","subtype":"init","session_id":"s","model":"m"}'
echo '{"type":"assistant","message":{"id":"a","model":"m","content":[{"type":"text","text":"ok"}]}}'
echo '${RESULT}'
`;

/** Events of 10 kB until BYTES are printed. */
const LONG = `#!${process.execPath}
const { writeSync } = require("node:fs");
const say = (text) => {
  let bytes = Buffer.from(text + "\\n");
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(1, bytes));
};
const text = "x".repeat(10_000);
for (let n = 0; n < Number(process.env.BYTES) / 10_000; n += 1)
  say(JSON.stringify({ type: "assistant", message: { id: "a" + n, content: [{ type: "text", text }] } }));
say('${RESULT}');
`;

export async function claude({ tiny }) {
  const count = tiny ? 2 : 40;
  const rounds = tiny ? 1 : 7;
  return [...(await perStep({ count, rounds })), await stream({ tiny, rounds: tiny ? 1 : 3 })];
}

async function perStep({ count, rounds }) {
  const files = {
    "one.yml": playbook(1),
    "many.yml": playbook(1 + count),
    "meter.mjs": METER,
  };
  return await inRepository(files, async ({ repository, env }) => {
    const file = (name) => path.join(repository, name);
    const bin = program(env.HOME, QUICK);
    const cpu = path.join(env.HOME, "cpu");
    const recording = path.join(env.HOME, "r.jsonl");
    const place = {
      repository,
      env: { ...env, MMM_CLAUDE_BIN: bin, IS_SANDBOX: "1", CPU_FILE: cpu },
    };
    const run = async (name, ...options) => {
      const args = ["--import", file("meter.mjs"), mmm, "cook", name, "-n", "1", ...options];
      const ms = await time(args, place);
      return { ms, ...JSON.parse(readFileSync(cpu, "utf8")) };
    };
    const each = async (...options) => {
      const one = await run("one.yml", ...options);
      const many = await run("many.yml", ...options);
      const per = (what) => (many[what] - one[what]) / count;
      const [all, starting] = [per("cpu"), per("starting")];
      return { cpu: all, starting, rest: all - starting, ms: per("ms") };
    };
    await run("many.yml", "--record", recording);
    const live = [];
    const replayed = [];
    for (let round = 0; round < rounds; round += 1) {
      live.push(await each());
      replayed.push(await each("--replay", recording));
    }
    const of = (all, what) => spread(all.map((one) => one[what]));
    return [
      { name: "a Claude step: mmm's own CPU", spread: of(live, "cpu"), unit: "ms", bar: 15 },
      { name: "  all of it, git and a stand-in included", spread: of(live, "ms"), unit: "ms" },
      { name: "a replayed step: mmm's own CPU", spread: of(replayed, "rest"), unit: "ms", bar: 10 },
      { name: "  to start git, beside that", spread: of(replayed, "starting"), unit: "ms" },
      { name: "  all of it, git included", spread: of(replayed, "ms"), unit: "ms" },
    ];
  });
}

/** Outside of the repository: it is no dirt there. */
function program(folder, text) {
  const file = path.join(folder, "claude");
  writeFileSync(file, text, { mode: 0o755 });
  return file;
}

function playbook(steps) {
  return Array.from({ length: steps }, (_, n) => `- claude: "step ${n}"\n`).join("");
}

async function stream({ tiny, rounds }) {
  const [few, many] = tiny ? [100_000, 1_000_000] : [10_000_000, 100_000_000];
  const ratios = [];
  for (let round = 0; round < rounds; round += 1)
    ratios.push((await peakOf(many)) / (await peakOf(few)));
  const name = `Claude says ${many / 1e6} MB: peak over that of ${few / 1e6} MB`;
  return { name, spread: spread(ratios), unit: "x", bar: 1.3 };
}

async function peakOf(bytes) {
  return await inRepository({ "p.yml": playbook(1) }, async (place) => {
    const bin = program(place.env.HOME, LONG);
    const env = { ...place.env, MMM_CLAUDE_BIN: bin, IS_SANDBOX: "1", BYTES: String(bytes) };
    const child = spawn(process.execPath, [mmm, "cook", "p.yml", "-n", "1"], {
      cwd: place.repository,
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const peak = peakKbOf(child.pid);
    const { code, stderr } = await endOf(child);
    if (code !== 0) throw new Error(`mmm cook exited with ${code}: ${stderr}`);
    return peak.stop();
  });
}
