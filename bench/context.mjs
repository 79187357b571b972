// `mmm analyze` in a repository of 5 000 files and 2 000 commits, cold and from its cache; `mmm init` in the same.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { endOf, inRepository, mmm, spread } from "./scratch.mjs";

export async function context({ tiny }) {
  const size = tiny
    ? { files: 50, commits: 20, rounds: 1 }
    : { files: 5000, commits: 2000, rounds: 5 };
  return await inRepository({ "package.json": '{"name": "bench"}\n' }, async (place) => {
    fill(place, size);
    const saved = path.join(place.repository, ".mmm");
    const rounds = [];
    for (let round = 0; round < size.rounds; round += 1) {
      rmSync(saved, { recursive: true, force: true });
      rmSync(path.join(place.repository, ".claude"), { recursive: true, force: true });
      const cold = await run(["analyze"], place);
      rounds.push({
        cold,
        cached: await run(["analyze"], place),
        init: await run(["init"], place),
      });
    }
    const name = `analyze, ${size.files} files, ${size.commits} commits`;
    const ms = (pick) => ({ spread: spread(rounds.map((round) => pick(round).ms)), unit: "ms" });
    return [
      { name: `${name}, cold`, ...ms((round) => round.cold), bar: 3000 },
      {
        name: "  peak memory",
        spread: spread(rounds.map((round) => round.cold.megabytes)),
        unit: "MB",
        bar: 200,
      },
      { name: "  from its cache", ...ms((round) => round.cached), bar: 300 },
      { name: "init in the same", ...ms((round) => round.init), bar: 400 },
    ];
  });
}

/** All history through one `git fast-import`: each commit after the first changes five files. */
function fill({ repository, env }, { files, commits }) {
  const name = (n) => `packages/p${n % 40}/src/f${n}.ts`;
  const body = (n, version) =>
    Array.from({ length: 60 + (n % 200) }, (_, line) =>
      line === 3 && n % 25 === 0
        ? `// TODO: look at ${n} again`
        : `export const v${line} = ${line === 9 ? version : line};`,
    ).join("\n");
  const parts = [];
  const commit = (number, touched) => {
    const who = `Person ${number % 7} <p${number % 7}@localhost> ${1_700_000_000 + number * 3600} +0000`;
    parts.push(`commit refs/heads/main\ncommitter ${who}\ndata <<E\nfeat: number ${number}\nE\n`);
    if (number === 0) parts.push("from refs/heads/main^0\n");
    for (const file of touched) {
      parts.push(
        `M 100644 inline ${name(file)}\ndata <<END-OF-FILE\n${body(file, number)}\nEND-OF-FILE\n`,
      );
    }
    parts.push("\n");
  };
  commit(
    0,
    Array.from({ length: files }, (_, n) => n),
  );
  for (let number = 1; number < commits - 1; number += 1) {
    commit(
      number,
      Array.from({ length: 5 }, (_, n) => (number * 37 + n * 40) % files),
    );
  }
  execFileSync("git", ["fast-import", "--quiet"], { cwd: repository, env, input: parts.join("") });
  execFileSync("git", ["reset", "--quiet", "--hard"], { cwd: repository, env });
}

/** To its end: wall time, and the high-water mark of its memory where `/proc` tells it. */
async function run(args, { repository, env }) {
  const started = performance.now();
  const child = spawn(process.execPath, [mmm, ...args], {
    cwd: repository,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let kilobytes = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      kilobytes = Math.max(kilobytes, Number(/^VmHWM:\s+(\d+)/mu.exec(status)?.[1] ?? 0));
    } catch {
      // it has ended
    }
  }, 20);
  const { code, stderr } = await endOf(child);
  clearInterval(look);
  if (code !== 0) throw new Error(`mmm ${args.join(" ")} exited with ${code}: ${stderr}`);
  return { ms: performance.now() - started, megabytes: kilobytes / 1024 };
}
