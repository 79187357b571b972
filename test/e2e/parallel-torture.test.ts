/**
 * Twenty inputs, eight at a time, that commit, conflict, hang, fail, make nothing, leave dirt, move HEAD and
 * lock the index (spec 8.4, F25, F26, F30, F31): what mmm says has to be what git has.
 *
 * `MMM_TORTURE=50` takes fifty rounds; else one. `MMM_TORTURE_SEED` repeats the round that a failure names.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import {
  ACTS,
  ENDS,
  holdOnDemand,
  inputsOf,
  kindOf,
  madeBySteps,
  PLAYBOOK,
  randomOf,
} from "./parallel-fakes.ts";
import { alive, checkout, left, lost } from "./parallel-state.ts";

const ROUNDS = Number(process.env["MMM_TORTURE"] ?? 1);
const SEED = Number(process.env["MMM_TORTURE_SEED"] ?? 1 + Math.floor(Math.random() * 1e6));

test(
  "20 inputs, 8 at a time: the counts are reality, nothing is lost, nothing is left unnamed",
  async () => {
    for (let round = 0; round < ROUNDS; round += 1) await play(SEED + round);
  },
  60_000 + ROUNDS * 120_000,
);

async function play(seed: number): Promise<void> {
  const random = randomOf(seed);
  const inputs = inputsOf(random);
  const merges = random() < 0.5;
  const kitchen = await openKitchen(undefined, { "README.md": "hello\n", "same.txt": "same\n" });
  const { repo } = kitchen;
  const out = path.join(repo.base, "out");
  mkdirSync(out);
  const acts = path.join(out, "acts.sh");
  writeFileSync(acts, ACTS);
  const stop = holdOnDemand(out);
  const shown = `MMM_TORTURE_SEED=${seed}: ${inputs.join(" ")}`;
  try {
    await repo.write("pb.yml", PLAYBOOK);
    const before = await checkout(repo);
    const args = [
      ...inputs.flatMap((input) => ["--args", input]),
      "--parallel",
      "8",
      ...(merges ? ["--yes"] : []),
    ];
    const ran = await kitchen.cook(PLAYBOOK, args, { env: { OUT: out, ACTS: acts } });
    const said = `${shown}\n${ran.stdout.slice(-6000)}\n${ran.stderr.slice(-3000)}`;
    expect(ran.code, said).toBe(1);
    expect(alive(repo), said).toEqual([]);
    const round = { kitchen, inputs, out, said, ran };
    const kept = await checkEnds(round);
    await checkCommits(round);
    await checkLeft(round, kept);
    if (!merges) expect(await checkout(repo), said).toBe(before);
    else expect(await repo.git("status", "--porcelain"), said).toBe("?? pb.yml");
    expect(await repo.git("fsck", "--no-progress"), said).not.toMatch(/error|missing|corrupt/);
    if (random() < 0.5) await goOn(round);
    await checkClean(round);
  } finally {
    stop();
    await kitchen.dispose();
  }
}

interface Round {
  readonly kitchen: Kitchen;
  readonly inputs: readonly string[];
  readonly out: string;
  /** For whoever has to find out. */
  readonly said: string;
  readonly ran: { readonly stdout: string; readonly stderr: string };
}

/** Each input ended as its kind has to; the names of the worktrees that stay. */
async function checkEnds({ kitchen, inputs, said }: Round): Promise<readonly string[]> {
  const { inputResults, failedInputs } = finished(kitchen);
  const ends = inputResults.map(({ input, status, stop, branch }) => ({
    input: input.arg,
    end: [
      status,
      ...(status === "failed" ? [stop] : []),
      ...(branch === null ? [] : ["kept"]),
    ].join(" "),
  }));
  expect(
    ends.map(({ input }) => input),
    said,
  ).toEqual(inputs);
  const wrong = ends.filter(({ input, end }) => !ENDS[kindOf(input)]?.includes(end));
  expect(wrong, said).toEqual([]);
  for (const kind of ["same", "red"]) {
    const good = ends.filter(({ input, end }) => kindOf(input) === kind && end === "completed");
    // Both of them were there: one is merged, no other.
    if (inputs.some((input) => kindOf(input) === kind)) expect(good, said).toHaveLength(1);
  }
  expect(failedInputs.length, said).toBe(ends.filter(({ end }) => end.startsWith("failed")).length);
  return inputResults.flatMap(({ branch }) => branch ?? []);
}

/** The failed ones start anew, and fail again where their kind does: what they had made before is kept. */
async function goOn(before: Round): Promise<void> {
  const { kitchen, inputs, out } = before;
  const own = commitsOf(before);
  const ran = await kitchen.mmm(["resume", path.basename(kitchen.session())], {
    env: { OUT: out, ACTS: path.join(out, "acts.sh") },
  });
  const said = `${before.said}\n${ran.stdout.slice(-6000)}\n${ran.stderr.slice(-3000)}`;
  expect(ran.code, said).toBe(1);
  const { inputResults } = finished(kitchen);
  // Nobody has resolved it: it is merged again, and its steps are not run again for that.
  const conflicts = inputResults.filter(({ stop }) => stop === "merge-conflict");
  expect(
    conflicts.map(({ input }) => kindOf(input.arg)),
    said,
  ).toEqual(["same"]);
  expect(alive(kitchen.repo), said).toEqual([]);
  expect(await lost(kitchen.repo, [...own, ...commitsOf(before)]), said).toEqual([]);
  const kept = inputResults.flatMap(({ branch }) => branch ?? []);
  await checkLeft({ kitchen, inputs, out, said, ran }, kept);
}

/** All that mmm and the steps say they have made. */
function commitsOf({ kitchen, out }: Pick<Round, "kitchen" | "out">): readonly string[] {
  const told = kitchen
    .events()
    .flatMap((event) => (event.type === "commit-made" ? [event.commit.sha] : []));
  return [...new Set([...told, ...[...madeBySteps(out).values()].flat()])];
}

async function checkCommits({ kitchen, out, said }: Round): Promise<void> {
  const { repo } = kitchen;
  const events = kitchen.events();
  const own = madeBySteps(out);
  const { inputResults } = finished(kitchen);
  for (const { input, commits, branch } of inputResults) {
    const told = events.flatMap((event) =>
      event.type === "commit-made" && event.at.input === input.index ? [event.commit.sha] : [],
    );
    const made = [...new Set([...told, ...(own.get(input.arg) ?? [])])];
    // What a step has put on a branch of its own, or thrown away, is no commit of the input.
    if (/^(?:back|late-(?:switch|reset|amend|detach|unbranch))$/.test(kindOf(input.arg))) continue;
    expect({ input: input.arg, commits, branch }, said).toEqual({
      input: input.arg,
      commits: made.length,
      branch,
    });
  }
  expect(await lost(repo, commitsOf({ kitchen, out })), said).toEqual([]);
}

async function checkLeft(
  { kitchen, inputs, said, ran }: Round,
  kept: readonly string[],
): Promise<void> {
  const { repo } = kitchen;
  const session = path.basename(kitchen.session());
  const names = [session, ...kept].toSorted();
  // Branches that steps made themselves are theirs.
  const aside = inputs.filter((input) => /^(?:back|late-switch)$/.test(kindOf(input)));
  const found = await left(repo);
  const nameOf = (kind: string): string =>
    `${session}-i${inputs.findIndex((input) => kindOf(input) === kind) + 1}`;
  const branches = names.filter((name) => name !== nameOf("late-unbranch"));
  expect(found, said).toEqual({
    branches: ["main", ...branches, ...aside.map((input) => `aside-${input}`)].toSorted(),
    listed: names,
    records: names,
    folders: names.filter((name) => name !== nameOf("late-gone")),
  });
  const ls = await kitchen.mmm(["worktree", "ls", "--json"]);
  const rows = JSON.parse(ls.stdout) as readonly { readonly name: string }[];
  expect(rows.map(({ name }) => name).toSorted(), said).toEqual(names);
  const unnamed = names.filter((name) => !`${ran.stdout}${ran.stderr}`.includes(name));
  expect(unnamed, said).toEqual([]);
}

async function checkClean({ kitchen, inputs, said }: Round): Promise<void> {
  const clean = await kitchen.mmm(["worktree", "clean", "--all", "--force"]);
  expect(clean.code, `${said}\n${clean.stderr}`).toBe(0);
  const aside = inputs.filter((input) => /^(?:back|late-switch)$/.test(kindOf(input)));
  expect(await left(kitchen.repo), said).toEqual({
    branches: ["main", ...aside.map((input) => `aside-${input}`)].toSorted(),
    listed: [],
    records: [],
    folders: [],
  });
}

function finished(kitchen: Kitchen): Extract<Event, { type: "session-finished" }> {
  const end = kitchen.events().findLast((event) => event.type === "session-finished");
  if (end?.type !== "session-finished") throw new Error("the session has no end");
  return end;
}
