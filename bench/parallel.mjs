// Inputs at once, each in a worktree: beside a script of plain git; what one worktree costs; memory.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { endOf, inRepository, mmm, peakKbOf, spread, time } from "./scratch.mjs";

/** What the script does for one input; the step's work is committed as mmm does it. */
const SCRIPT = `set -e
name="bench-$1"
exec 9>"$TOP/lock"
flock 9
git worktree add --quiet -b "$name" "$TOP/$name" script
flock -u 9
cd "$TOP/$name"
sh -c "sleep 0.05; echo $1 >out-$1"
git add --all
git commit --quiet --message="step $1"
flock 9
cd "$TOP/script"
git merge --quiet --no-ff --message="merge $name" "$name"
git worktree remove "$TOP/$name"
`;

const PLAYBOOK = 'steps:\n  - shell: "sleep 0.05; echo ${INDEX} > out-${INDEX}"\n';
const FEW_FILES = 50;

export async function parallel({ tiny }) {
  const [inputs, rounds] = tiny ? [3, 1] : [200, 3];
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push({
      script: await inRepository(filesOf(FEW_FILES), (place) => byScript(place, inputs)),
      ours: await inRepository(filesOf(FEW_FILES), (place) => byMmm(place, inputs)),
    });
  }
  const of = (pick) => spread(pairs.map(pick));
  const name = `${inputs} inputs of a 50 ms step, two at once: mmm / script`;
  return [
    // Three quarters of the throughput.
    { name, spread: of(({ ours, script }) => ours.ms / script.ms), unit: "x", bar: 1.33 },
    { name: "  mmm, an input", spread: of(({ ours }) => ours.ms / inputs), unit: "ms" },
    { name: "  script, an input", spread: of(({ script }) => script.ms / inputs), unit: "ms" },
    { name: "  mmm, its processes' time", spread: of(({ ours }) => ours.cpu / inputs), unit: "ms" },
    { name: "  script, the same", spread: of(({ script }) => script.cpu / inputs), unit: "ms" },
  ];
}

async function byMmm(place, inputs) {
  const figures = await measured(process.execPath, cooking(inputs), place);
  expectCommits(place, "main", 2 * inputs + 2);
  return figures;
}

async function byScript({ repository, env }, inputs) {
  const top = path.dirname(repository);
  const place = { repository, env: { ...env, TOP: top } };
  const file = path.join(top, "one.sh");
  writeFileSync(file, SCRIPT);
  git(place, ["worktree", "add", "--quiet", "-b", "script", path.join(top, "script")]);
  const numbers = `${Array.from({ length: inputs }, (_, index) => index + 1).join("\n")}\n`;
  const figures = await measured("xargs", ["-P2", "-n1", "sh", file], place, numbers);
  expectCommits(place, "script", 2 * inputs + 1);
  return figures;
}

function cooking(inputs) {
  const args = Array.from({ length: inputs }, (_, index) => ["--args", `a${index + 1}`]).flat();
  return [mmm, "-q", "cook", "p.yml", ...args, "--parallel", "2", "--yes"];
}

/** Milliseconds of wall time, and of processor time with all that it started. */
async function measured(command, args, { repository, env }, stdin = "") {
  const times = path.join(path.dirname(repository), "times");
  const timed = ["-c", '"$@"; code=$?; times >"$0"; exit $code', times, command, ...args];
  const began = performance.now();
  const child = spawn("sh", timed, { cwd: repository, env, stdio: ["pipe", "ignore", "pipe"] });
  child.stdin.end(stdin);
  const { code, stderr } = await endOf(child);
  const ms = performance.now() - began;
  if (code !== 0) throw new Error(`${command} exited with ${code}: ${stderr}`);
  const [, ofChildren = ""] = readFileSync(times, "utf8").split("\n");
  const parts = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)];
  const cpu = parts.reduce((sum, [, m, s]) => sum + (Number(m) * 60 + Number(s)) * 1000, 0);
  return { ms, cpu };
}

function expectCommits(place, branch, expected) {
  const count = Number(git(place, ["rev-list", "--count", branch]));
  if (count !== expected) throw new Error(`${branch} has ${count} of ${expected} commits`);
}

/** The way to the first step, with a worktree less without one, over `git worktree add`. */
export async function worktree({ tiny }) {
  const [files, rounds] = tiny ? [200, 1] : [20_000, 7];
  return inRepository(filesOf(files), async (place) => {
    const round = async () => {
      const added = path.join(path.dirname(place.repository), "added");
      const began = performance.now();
      git(place, ["worktree", "add", "--quiet", "-b", "added", added]);
      const yardstick = performance.now() - began;
      git(place, ["worktree", "remove", added]);
      git(place, ["branch", "--quiet", "-D", "added"]);
      const plain = await toFirstStep(place, []);
      return { yardstick, ours: (await toFirstStep(place, ["--worktree"])) - plain };
    };
    // The first one warms the disk's cache.
    await round();
    const all = [];
    for (let run = 0; run < rounds; run += 1) all.push(await round());
    const of = (pick) => spread(all.map(pick));
    const name = `a worktree of ${files} files: mmm / git worktree add`;
    return [
      { name, spread: of(({ ours, yardstick }) => ours / yardstick), unit: "x", bar: 1.3 },
      { name: "  mmm", spread: of(({ ours }) => ours), unit: "ms" },
      { name: "  git worktree add", spread: of(({ yardstick }) => yardstick), unit: "ms" },
    ];
  });
}

async function toFirstStep({ repository, env }, options) {
  const stamp = path.join(path.dirname(repository), "stamp");
  rmSync(stamp, { force: true });
  const began = performance.timeOrigin + performance.now();
  const place = { repository, env: { ...env, STAMP: stamp } };
  await time([mmm, "-q", "cook", "stamp.yml", ...options], place);
  return statSync(stamp).mtimeMs - began;
}

export async function inputsMemory({ tiny }) {
  const [few, many, rounds] = tiny ? [2, 4, 1] : [50, 400, 3];
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) {
    const peak = (inputs) => inRepository(filesOf(3), (place) => peakOf(place, inputs));
    pairs.push({ few: await peak(few), many: await peak(many) });
  }
  return [
    {
      name: `${many} inputs / ${few}: peak memory`,
      spread: spread(pairs.map((pair) => pair.many / pair.few)),
      unit: "x",
      bar: 1.3,
    },
    { name: `  ${many} inputs`, spread: spread(pairs.map((pair) => pair.many)), unit: "MB" },
  ];
}

async function peakOf({ repository, env }, inputs) {
  const stdio = ["ignore", "ignore", "pipe"];
  const child = spawn(process.execPath, cooking(inputs), { cwd: repository, env, stdio });
  const peak = peakKbOf(child.pid);
  const { code, stderr } = await endOf(child);
  const megabytes = (peak.stop() * 1024) / 1e6;
  if (code !== 0) throw new Error(`mmm cook exited with ${code}: ${stderr}`);
  return megabytes;
}

/** Names of files, in folders of a hundred when there are many, and what they hold. */
function filesOf(count) {
  const name = (n) => (count > 100 ? `d${Math.floor(n / 100)}/f${n}` : `f${n}`);
  return {
    "p.yml": PLAYBOOK,
    "stamp.yml": 'steps:\n  - shell: touch "$STAMP"\n',
    ...Object.fromEntries(Array.from({ length: count }, (_, n) => [name(n), `${n}\n`])),
  };
}

function git({ repository, env }, args) {
  return execFileSync("git", args, { cwd: repository, env, encoding: "utf8" });
}
