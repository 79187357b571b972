// `mmm resume` of a long session: from its start to its first step, and its memory until then.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { endOf, inRepository, mmm, spread } from "./scratch.mjs";

const STEPS = 10;
/** The last step waits for a file, as long as there is a repository; ignored files are nobody's work. */
const PLAYBOOK = `max_iterations: 1
steps:
${'- shell: "true"\n'.repeat(STEPS - 1)}- shell: "touch started; while test -f long.yml && ! test -f go-\${INDEX}; do sleep 0.01; done"
`;

export async function resume({ tiny }) {
  const lines = tiny ? 1000 : 100_000;
  const files = { "long.yml": PLAYBOOK, ".gitignore": "started\ngo-*\n" };
  return await inRepository(files, async (place) => {
    const journal = await stopped(place);
    const long = lengthened(journal, lines);
    const rounds = [];
    for (let round = 0; round < (tiny ? 1 : 5); round += 1) {
      writeFileSync(journal, long);
      rounds.push(await resumed(place));
    }
    return [
      {
        name: `resume after ${lines} events, to its first step`,
        spread: spread(rounds.map(({ ms }) => ms)),
        unit: "ms",
        bar: 1000,
      },
      {
        name: "  peak memory",
        spread: spread(rounds.map(({ megabytes }) => megabytes)),
        unit: "MB",
        bar: 200,
      },
    ];
  });
}

/** The journal of a session that was killed in the last step of its third input. */
async function stopped({ repository, env }) {
  const at = (name) => path.join(repository, name);
  const child = start(["cook", "long.yml", ...["a", "b", "c"].flatMap((arg) => ["--args", arg])], {
    repository,
    env,
  });
  const ended = endOf(child);
  for (const go of ["go-1", "go-2"]) {
    await fileAt(at("started"));
    rmSync(at("started"));
    writeFileSync(at(go), "");
  }
  await fileAt(at("started"));
  child.kill("SIGKILL");
  await ended;
  const [session] = readdirSync(at(".mmm/sessions"));
  return at(`.mmm/sessions/${session}/journal.jsonl`);
}

/** The second input again and again, until there are so many lines; then the one that was cut short. */
function lengthened(file, wanted) {
  const all = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const head = all.filter(({ lane }) => lane === undefined || lane === "session");
  const [first, middle, last] = ["input-1", "input-2", "input-3"].map((name) =>
    all.filter(({ lane }) => lane === name),
  );
  const others = head.length + first.length + last.length;
  const total = Math.ceil((wanted - others) / middle.length) + 2;
  const inputs = Array.from({ length: total }, (_, n) => inputOf(n + 1, total));
  head[0].value.inputs = inputs;
  const made = [...head, ...first.map((line) => moved(line, 1, total))];
  for (let index = 2; index < total; index += 1)
    for (const line of middle) made.push(moved(line, index, total));
  for (const line of last) made.push(moved(line, total, total));
  return `${made.map((line, index) => JSON.stringify({ ...line, seq: index + 1 })).join("\n")}\n`;
}

function inputOf(index, total) {
  return { arg: `a${index}`, file: null, index, total };
}

function moved(line, index, total) {
  const copy = { ...line, lane: `input-${index}` };
  if (typeof copy.input === "number") copy.input = index;
  else if (copy.input) copy.input = inputOf(index, total);
  if (copy.at?.input) copy.at = { ...copy.at, input: index };
  return copy;
}

/** It is killed again as soon as it is at work. */
async function resumed({ repository, env }) {
  const started = path.join(repository, "started");
  rmSync(started);
  const began = performance.now();
  const child = start(["resume"], { repository, env });
  const ended = endOf(child);
  let over = null;
  void ended.then((end) => (over = end));
  let kilobytes = 0;
  while (!existsSync(started)) {
    if (over !== null) throw new Error(`mmm resume exited with ${over.code}: ${over.stderr}`);
    kilobytes = Math.max(kilobytes, highWaterKb(child.pid));
    await sleep(2);
  }
  const ms = performance.now() - began;
  child.kill("SIGKILL");
  await ended;
  return { ms, megabytes: (kilobytes * 1024) / 1e6 };
}

async function fileAt(file) {
  while (!existsSync(file)) await sleep(5);
}

function start(args, { repository, env }) {
  const stdio = ["ignore", "ignore", "pipe"];
  return spawn(process.execPath, [mmm, ...args], { cwd: repository, env, stdio });
}

function highWaterKb(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
