/** Inputs at once against trees in memory (spec 8.4). */
import { describe, expect, test } from "vitest";
import type { InputPlace, InputTrees, MadeMerge, Refused } from "../../src/engine/input-trees.ts";
import type { Parallel } from "../../src/engine/session.ts";
import { MmmError } from "../../src/errors.ts";
import { mergeGates } from "../../src/playbook/plan-merge-gates.ts";
import {
  FakeWorld,
  play,
  type Played,
  type PlayOptions,
  requestFor,
} from "../support/fake-ports.ts";

/** What the trees are to do otherwise than well, and what they were asked. */
class FakeTrees implements InputTrees {
  readonly into = "session-branch";
  readonly calls: string[] = [];
  readonly worlds = new Map<string, FakeWorld>();
  /** How often the session's branch has moved when something is to land. */
  moved = 0;
  merged: (place: InputPlace) => MadeMerge = ({ name }) => ({
    kind: "made",
    commit: `merge-of-${name}`,
    onto: "tip",
  });
  onOpen: (index: number) => Promise<void> = async () => Promise.resolve();
  lands: (commit: string) => void = () => undefined;
  shows: string | null = null;
  closed: (place: InputPlace) => void = () => undefined;
  closes: "removed" | "kept" = "removed";
  there = true;
  readonly #options: PlayOptions;

  constructor(options: PlayOptions = {}) {
    this.#options = options;
  }

  async open({ index }: { readonly index: number }): Promise<InputPlace> {
    this.calls.push(`open ${index}`);
    await this.onOpen(index);
    const world = new FakeWorld(this.#options);
    this.worlds.set(`i${index}`, world);
    const root = `/trees/i${index}`;
    return { name: `i${index}`, path: root, cwd: root, base: world.head, notes: [] };
  }

  world({ name, cwd }: InputPlace) {
    const world = this.worlds.get(name);
    if (world === undefined) throw new Error(`${name} was not opened`);
    const git = { folder: null, root: cwd };
    return { ports: world.ports(), facts: { cwd, worktree: name, git } as never };
  }

  async predict(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async changes(): Promise<null> {
    return Promise.resolve(null);
  }

  async merge(place: InputPlace): Promise<MadeMerge> {
    this.calls.push(`merge ${place.name}`);
    return Promise.resolve(this.merged(place));
  }

  async show(place: InputPlace): Promise<string | null> {
    this.calls.push(`show ${place.name}`);
    return Promise.resolve(this.shows);
  }

  unshows: string | null = null;

  async unshow(place: InputPlace): Promise<string | null> {
    this.calls.push(`unshow ${place.name}`);
    return Promise.resolve(this.unshows);
  }

  /** How many have landed at once at most. */
  landedAtOnce = 0;
  #landing = 0;

  refuses: (commit: string) => Refused | null = () => null;

  async land({ commit }: { readonly commit: string }): Promise<string | Refused | null> {
    this.calls.push(`land ${commit}`);
    this.#landing += 1;
    this.landedAtOnce = Math.max(this.landedAtOnce, this.#landing);
    await new Promise((done) => setImmediate(done));
    this.#landing -= 1;
    this.lands(commit);
    const refused = this.refuses(commit);
    if (refused !== null) return refused;
    if (this.moved === 0) return Promise.resolve(commit);
    this.moved -= 1;
    return Promise.resolve(null);
  }

  async missing(): Promise<readonly ("worktree" | "branch")[]> {
    return Promise.resolve(this.there ? [] : ["worktree"]);
  }

  onClose: (place: InputPlace) => Promise<void> = async () => Promise.resolve();

  async close(place: InputPlace): Promise<"removed" | "kept"> {
    this.calls.push(`close ${place.name}`);
    this.closed(place);
    await this.onClose(place);
    return this.closes;
  }
}

function withResolvers() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const ONE_STEP = `steps: [{shell: "write \${ARG}.txt x"}]`;

async function atOnce(
  trees: FakeTrees,
  yaml: string,
  options: PlayOptions & { readonly atOnce?: number; readonly gates?: Parallel["gates"] },
): Promise<Played> {
  const parallel = { atOnce: options.atOnce ?? 2, trees, gates: options.gates ?? [] };
  return play(yaml, { ...options, parallel });
}

function results({ finished }: Played): readonly string[] {
  return finished.inputResults.map(({ status, stop }) => `${status} ${stop ?? "-"}`);
}

test("each input is opened, merged, landed and closed, and the session is complete", async () => {
  const trees = new FakeTrees();
  const played = await atOnce(trees, ONE_STEP, { args: ["a", "b", "c"] });
  expect(played.outcome).toEqual({ status: "completed", stop: "iterations-done" });
  expect(results(played)).toEqual(Array(3).fill("completed iterations-done"));
  for (const name of ["i1", "i2", "i3"]) {
    const own = trees.calls.filter((call) => call.endsWith(name));
    expect(own).toEqual([`merge ${name}`, `land merge-of-${name}`, `close ${name}`]);
  }
  // One at a time: nobody's merge is begun between another's merge and landing.
  const merging = trees.calls.filter((call) => /^(?:merge|land) /.test(call));
  for (let at = 0; at < merging.length; at += 2)
    expect(merging[at + 1]).toBe(`land merge-of-${merging[at]?.slice("merge ".length) ?? ""}`);
});

test("while a tree is put away the next input begins, but no third one", async () => {
  const trees = new FakeTrees();
  const away = withResolvers();
  const merged = withResolvers();
  trees.onClose = async ({ name }) => {
    if (name === "i1") await away.promise;
  };
  trees.lands = (commit) => {
    if (commit === "merge-of-i2") merged.resolve();
  };
  const playing = atOnce(trees, ONE_STEP, { args: ["a", "b", "c"], atOnce: 1 });
  await merged.promise;
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
  expect(trees.calls).toContain("close i1");
  expect(trees.calls).not.toContain("open 3");
  away.resolve();
  const played = await playing;
  expect(results(played)).toEqual(Array(3).fill("completed iterations-done"));
  expect(trees.calls.filter((call) => call.startsWith("close"))).toHaveLength(3);
});

test("a tree that cannot be put away breaks the session, whoever is at work by then", async () => {
  const trees = new FakeTrees();
  trees.onClose = async ({ name }) => {
    if (name === "i1") throw new MmmError("worktree-stays", 3, { message: "it stays" });
    return Promise.resolve();
  };
  const playing = atOnce(trees, ONE_STEP, { args: ["a", "b", "c", "d"], atOnce: 1 });
  await expect(playing).rejects.toThrow("it stays");
  expect(trees.calls).not.toContain("open 4");
});

test("a tree that broke while it was put away: merged is said, and nothing that is gone is named", async () => {
  const trees = new FakeTrees();
  trees.onClose = async ({ name }) => {
    if (name !== "i1") return Promise.resolve();
    trees.there = false;
    throw new MmmError("branch-stays", 3, { message: "its branch stays" });
  };
  const told: unknown[] = [];
  const of = { args: ["a", "b"], atOnce: 1, onBroken: (event: unknown) => void told.push(event) };
  await expect(atOnce(trees, ONE_STEP, of)).rejects.toThrow("its branch stays");
  expect(told).toMatchObject([
    { inputResults: [{ status: "completed", branch: "i1", path: null }, {}] },
  ]);
});

test("a session's branch that moved meanwhile: it is merged again until it lands", async () => {
  const trees = new FakeTrees();
  trees.moved = 2;
  const played = await atOnce(trees, ONE_STEP, { args: ["a"] });
  expect(trees.calls).toEqual([
    "open 1",
    ...[1, 2, 3].flatMap(() => ["merge i1", "land merge-of-i1"]),
    "close i1",
  ]);
  expect(results(played)).toEqual(["completed iterations-done"]);
  expect(played.of("input-merged")).toHaveLength(1);
});

test("a conflict fails that input alone, names its files, and closes nothing", async () => {
  const trees = new FakeTrees();
  trees.merged = ({ name }) =>
    name === "i1"
      ? { kind: "conflict", files: ["1", "2", "3", "4", "5", "6", "7"] }
      : { kind: "made", commit: `merge-of-${name}`, onto: "tip" };
  const played = await atOnce(trees, ONE_STEP, { args: ["a", "b"] });
  expect(results(played)).toEqual(["failed merge-conflict", "completed iterations-done"]);
  expect(played.outcome).toEqual({ status: "failed", stop: "input-failed" });
  expect(played.finished.inputResults[0]).toMatchObject({
    branch: "i1",
    message: "it and session-branch changed the same lines: 1, 2, 3, 4, 5 and 2 more",
  });
  expect(trees.calls).not.toContain("close i1");
  expect(played.of("input-kept").map(({ name }) => name)).toEqual(["i1"]);
});

test("the session's branch does not take a merge: that input alone fails, and says what is in the way", async () => {
  const trees = new FakeTrees();
  trees.refuses = (commit) =>
    commit === "merge-of-i1" ? { refused: "its tree is dirty", next: ["git status"] } : null;
  const played = await atOnce(trees, ONE_STEP, { args: ["a", "b"] });
  expect(results(played)).toEqual(["failed merge-refused", "completed iterations-done"]);
  expect(played.finished.inputResults[0]).toMatchObject({
    branch: "i1",
    message: "session-branch does not take the merge: its tree is dirty",
  });
  expect(trees.calls).not.toContain("close i1");
  expect(played.of("input-kept")[0]?.next.slice(0, 2)).toEqual(["git status", "cd /trees/i1"]);
});

test("a tree that does not take its own branch back after the gates: that input alone fails", async () => {
  const trees = new FakeTrees();
  const yaml = `
gates: {fine: {shell: "exit 0"}}
steps: [{shell: "write \${ARG}.txt x", validation: [fine]}]`;
  const { plan } = requestFor(yaml, { args: ["a"] }, new FakeWorld()).run;
  trees.unshows = "index.lock: File exists";
  const played = await atOnce(trees, yaml, { args: ["a"], gates: mergeGates(plan) });
  expect(trees.calls).toEqual(["open 1", "merge i1", "show i1", "unshow i1"]);
  expect(results(played)).toEqual(["failed merge-refused"]);
  expect(played.finished.inputResults[0]?.message).toContain("index.lock: File exists");
});

test("an input without a commit of its own is closed and nothing is landed", async () => {
  const trees = new FakeTrees();
  trees.merged = () => ({ kind: "nothing" });
  const played = await atOnce(trees, ONE_STEP, { args: ["a"] });
  expect(trees.calls).toEqual(["open 1", "merge i1", "close i1"]);
  expect(results(played)).toEqual(["completed iterations-done"]);
  expect(played.of("input-merged")).toEqual([]);
});

test("a good input whose tree has something uncommitted keeps its branch, and says so", async () => {
  const trees = new FakeTrees();
  trees.closes = "kept";
  const played = await atOnce(trees, ONE_STEP, { args: ["a"] });
  expect(results(played)).toEqual(["completed iterations-done"]);
  expect(played.finished.inputResults[0]?.branch).toBe("i1");
});

describe("trouble in one of them", () => {
  const broken = new MmmError("disk-full", 3, { message: "no space left on device" });

  test("the surroundings break: the others stop, and the error is thrown when all rest", async () => {
    const trees = new FakeTrees();
    let release = (): void => undefined;
    const isBroken = new Promise<void>((done) => {
      release = done;
    });
    // The second is being opened while the first breaks.
    trees.onOpen = async (index) => (index === 2 ? isBroken : Promise.resolve());
    trees.lands = () => {
      release();
      throw broken;
    };
    await expect(atOnce(trees, ONE_STEP, { args: ["a", "b", "c", "d"] })).rejects.toBe(broken);
    expect(trees.calls.filter((call) => call.startsWith("open"))).toEqual(["open 1", "open 2"]);
    expect(trees.calls).not.toContain("merge i2");
    expect(trees.worlds.get("i2")?.scripts).toEqual([]);
  });

  test("its steps have removed its own tree: it alone has failed, and has its branch", async () => {
    const trees = new FakeTrees();
    trees.there = false;
    trees.lands = (commit) => {
      if (commit === "merge-of-i1") throw broken;
    };
    const played = await atOnce(trees, ONE_STEP, { args: ["a", "b"] });
    expect(results(played)).toEqual(["failed step-failed", "completed iterations-done"]);
    expect(played.of("input-kept")[0]?.next[0]).toBe("git log i1");
  });

  test("a bug is thrown, whatever is there", async () => {
    const trees = new FakeTrees();
    trees.there = false;
    trees.lands = () => {
      throw new TypeError("bug");
    };
    await expect(atOnce(trees, ONE_STEP, { args: ["a", "b"] })).rejects.toThrow("bug");
  });

  test("a failed step: nothing is merged, and the next input has its turn", async () => {
    const trees = new FakeTrees();
    const played = await atOnce(trees, `steps: [{shell: "write x.txt x; fail 1 7"}]`, {
      args: ["a", "b"],
      atOnce: 1,
    });
    expect(results(played)).toEqual(["failed step-failed", "failed step-failed"]);
    expect(trees.calls).toEqual(["open 1", "open 2"]);
  });

  test("--fail-fast opens no other input after a failure", async () => {
    const trees = new FakeTrees();
    const played = await atOnce(trees, `steps: [{shell: "exit 3"}]`, {
      args: ["a", "b", "c"],
      atOnce: 1,
      failFast: true,
    });
    expect(results(played)).toEqual(["failed step-failed", "not-run -", "not-run -"]);
    expect(trees.calls).toEqual(["open 1"]);
  });

  test("a step that took a commit away: it is kept, and the tree stays as it is", async () => {
    const trees = new FakeTrees();
    const played = await atOnce(
      trees,
      `steps: [{shell: "write a.txt x; commit own"}, {shell: "back 1"}]`,
      { args: ["a"] },
    );
    const world = trees.worlds.get("i1");
    expect(results(played)).toEqual(["failed step-failed"]);
    expect(world?.rollbacks).toEqual([]);
    const [own] = played.of("commit-made").map(({ commit }) => commit.sha);
    expect(world?.kept).toEqual([own]);
    const [note] = played.of("note");
    expect(note?.message).toContain("is kept in refs/mmm/failed/s/1");
    expect(note?.input).toBe(1);
  });
});

test("a limit of money: what is at work is suspended, nothing is opened, nothing is merged", async () => {
  const trees = new FakeTrees({ claude: { "/do": "cost 2; write x.txt x" } });
  const played = await atOnce(trees, `steps: [{claude: "/do"}, {claude: "/do"}]`, {
    args: ["a", "b", "c"],
    limits: { costUsd: 1 },
    atOnce: 1,
  });
  expect(played.outcome.status).toBe("suspended");
  expect(trees.calls).toEqual(["open 1"]);
  expect(played.of("input-left").map(({ input }) => input.index)).toEqual([1]);
});

describe("shares of the money (spec 6.5, 8.4)", () => {
  const STEP = `steps: [{claude: "/do \${ARG}"}]`;
  const budgetsOf = (trees: FakeTrees, name: string) => trees.worlds.get(name)?.budgets;

  test("are as many as there are inputs, and grow when fewer are left", async () => {
    const trees = new FakeTrees({ claude: { "/do": "cost 1; write x.txt x" } });
    const limits = { costUsd: 10 };
    await atOnce(trees, STEP, { args: ["a", "b"], atOnce: 8, limits });
    expect(budgetsOf(trees, "i1")).toEqual([5]);

    const last = new FakeTrees({ claude: { "/do": "cost 1; write x.txt x" } });
    const { promise, resolve } = withResolvers();
    last.onOpen = async (index) => (index === 2 ? promise : Promise.resolve());
    last.closed = ({ name }) => void (name === "i1" && setImmediate(resolve));
    await atOnce(last, STEP, { args: ["a", "b"], atOnce: 8, limits });
    expect([budgetsOf(last, "i1"), budgetsOf(last, "i2")]).toEqual([[5], [9]]);
  });

  test("one that was too small is made good with what the others leave", async () => {
    const claude = { "/do a": ["cost 2; over-budget", "cost 3; write x.txt x"], "/do": "cost 0.1" };
    const trees = new FakeTrees({ claude });
    const played = await atOnce(trees, STEP, {
      args: ["a", "b", "c"],
      atOnce: 3,
      limits: { costUsd: 6 },
    });
    expect(results(played)).toEqual(Array(3).fill("completed iterations-done"));
    const [first, second, ...more] = budgetsOf(trees, "i1") ?? [];
    expect([first, more]).toEqual([2, []]);
    expect(second).toBeGreaterThan(3);
    expect(second).toBeLessThanOrEqual(4);
    expect(played.finished.totals.knownCostUsd).toBeCloseTo(5.2);
  });

  test("the session is suspended when no more than that is left", async () => {
    const claude = { "/do a": "cost 1; over-budget", "/do": "cost 0.1; write x.txt x" };
    const trees = new FakeTrees({ claude });
    const played = await atOnce(trees, STEP, { args: ["a", "b"], limits: { costUsd: 2 } });
    expect(budgetsOf(trees, "i1")).toEqual([1]);
    expect(played.outcome.status).toBe("suspended");
    // It is not spent, so it is not said to be.
    expect(played.finished.limit).toMatchObject({ kind: "cost", limit: 2, stoppedAt: 1 });
    expect(played.finished.limit?.spent).toBeCloseTo(1.1);
    expect(results(played)[1]).toBe("completed iterations-done");
  });
});

test("after a Ctrl-C nothing is opened or merged, and what was at work is interrupted", async () => {
  const trees = new FakeTrees();
  const world = new FakeWorld();
  trees.onOpen = async (index) => {
    if (index === 2) world.abort.abort();
    return Promise.resolve();
  };
  const played = await atOnce(trees, ONE_STEP, { world, args: ["a", "b", "c", "d"], atOnce: 2 });
  expect(played.outcome).toEqual({ status: "interrupted", stop: "interrupted" });
  expect(trees.calls.filter((call) => /^(?:merge|land|close)/.test(call))).toEqual([]);
  expect(results(played).slice(2)).toEqual(["not-run -", "not-run -"]);
  // Of each that had a tree: how it stands, for the resume.
  expect(played.of("input-left").map(({ input, left }) => [input.index, left])).toEqual(
    ["i1", "i2"].map((name, at) => [
      at + 1,
      { head: trees.worlds.get(name)?.head, branch: "main", tree: null },
    ]),
  );
});

test("after a Ctrl-C while it lands nothing is closed: a resume closes it, and lands nothing again", async () => {
  const world = new FakeWorld();
  const trees = new FakeTrees();
  trees.lands = () => world.abort.abort();
  const stopped = await atOnce(trees, ONE_STEP, { world, args: ["a"] });
  expect(stopped.outcome.status).toBe("interrupted");
  expect(trees.calls).toEqual(["open 1", "merge i1", "land merge-of-i1"]);

  const past = new Map([...stopped.records].filter(([lane]) => lane !== "session"));
  const played = await atOnce(trees, ONE_STEP, { args: ["a"], past });
  expect(trees.calls.slice(3)).toEqual(["close i1"]);
  expect(played.of("input-merged")).toHaveLength(1);
  expect(results(played)).toEqual(["completed iterations-done"]);
});

test("killed between merges and their landing: a resume lands one after the other", async () => {
  const first = new FakeTrees();
  const { records } = await atOnce(first, ONE_STEP, { args: ["a", "b"] });
  const past = new Map(
    ["input-1", "input-2"].map((lane) => {
      const all = records.get(lane) ?? [];
      const merged = all.findIndex((each) => each.type === "answer" && each.call === "merge");
      return [lane, all.slice(0, merged + 1)] as const;
    }),
  );
  first.calls.length = 0;
  first.landedAtOnce = 0;
  const played = await atOnce(first, ONE_STEP, { args: ["a", "b"], past });
  expect(results(played)).toEqual(Array(2).fill("completed iterations-done"));
  expect(first.calls.filter((call) => call.startsWith("land"))).toHaveLength(2);
  expect(first.landedAtOnce).toBe(1);
});
