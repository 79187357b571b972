/** The order in which inputs that are done are merged (spec 8.4). */
import { describe, expect, test } from "vitest";
import { MergeTurns, type Release } from "../../src/engine/merge-turns.ts";

type Trees = ConstructorParameters<typeof MergeTurns>[0];
type Predict = Trees["predict"];

/** Nobody knows what the branches touch. */
const unknown = (predict: Predict): Trees => ({
  predict,
  changes: async () => Promise.resolve(null),
});

/** Each input has a signal of its own. */
const never = (): AbortSignal => new AbortController().signal;

/** Pairs of branches to files; `null` stands for the session's branch. */
function predicting(conflicts: Readonly<Record<string, readonly string[]>>): {
  readonly trees: Trees;
  readonly asked: string[];
} {
  const asked: string[] = [];
  return {
    asked,
    trees: unknown(async (one, other) => {
      const pair = `${one} ${other ?? "session"}`;
      asked.push(pair);
      return Promise.resolve(conflicts[pair] ?? []);
    }),
  };
}

/** Everybody wants to be merged while another one is; the order in which they are. */
async function orderOf(turns: MergeTurns, indexes: readonly number[]): Promise<readonly number[]> {
  const order: number[] = [];
  const first = await turns.take({ index: 99, branch: "b99" }, never());
  const all = indexes.map(async (index) => {
    const release = await turns.take({ index, branch: `b${index}` }, never());
    order.push(index);
    release?.();
  });
  first?.();
  await Promise.all(all);
  return order;
}

describe("spec 8.4: of those that wait, fewest predicted conflicts first, then input order", () => {
  test("without conflicts they go in the order of inputs, whoever came first", async () => {
    const { trees } = predicting({});
    expect(await orderOf(new MergeTurns(trees, () => undefined), [3, 1, 4, 2])).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test("who conflicts with the session's branch or with others that wait is put off", async () => {
    const { trees } = predicting({
      "b1 b2": ["a.txt", "b.txt"],
      "b2 session": ["c.txt"],
      "b3 session": ["d.txt"],
    });
    // 1: two, 2: three, 3: one, 4: none. When 3 and 4 are gone, 1 has fewer than 2.
    expect(await orderOf(new MergeTurns(trees, () => undefined), [1, 2, 3, 4])).toEqual([
      4, 3, 1, 2,
    ]);
  });

  test("an overlap of two is told once, with their numbers and files", async () => {
    const told: string[] = [];
    const { trees, asked } = predicting({ "b1 b2": ["a", "b", "c", "d"] });
    await orderOf(new MergeTurns(trees, (message) => told.push(message)), [2, 1, 3, 4]);
    expect(told).toEqual(["inputs 1 and 2 change the same lines: a, b, c, ..."]);
    // Two branches that stand still are compared once; the session's moves with each merge.
    expect(asked.filter((pair) => pair === "b1 b2")).toHaveLength(1);
    expect(asked.filter((pair) => pair === "b2 session").length).toBeGreaterThan(1);
  });

  test("who is alone is asked nothing about", async () => {
    const { trees, asked } = predicting({});
    const turns = new MergeTurns(trees, () => undefined);
    (await turns.take({ index: 1, branch: "b1" }, never()))?.();
    (await turns.take({ index: 2, branch: "b2" }, never()))?.();
    expect(asked).toEqual([]);
  });
});

test("60 that wait come one at a time, each of them once", async () => {
  const { trees } = predicting({});
  const turns = new MergeTurns(trees, () => undefined);
  let atWork = 0;
  let most = 0;
  const done: number[] = [];
  await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const release = await turns.take({ index, branch: `b${index}` }, never());
      atWork += 1;
      most = Math.max(most, atWork);
      await Promise.resolve();
      done.push(index);
      atWork -= 1;
      release?.();
    }),
  );
  expect(most).toBe(1);
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index));
});

test("a prediction that fails is no trouble: the first in the order of inputs goes", async () => {
  const turns = new MergeTurns(
    unknown(async () => Promise.reject(new Error("git is gone"))),
    () => undefined,
  );
  expect(await orderOf(turns, [3, 1, 2])).toEqual([1, 2, 3]);
});

test("a prediction that failed once is asked again", async () => {
  let times = 0;
  const told: string[] = [];
  const turns = new MergeTurns(
    unknown(async (_, other) => {
      if (other === null) return Promise.resolve([]);
      times += 1;
      return times === 1 ? Promise.reject(new Error("once")) : Promise.resolve(["a.txt"]);
    }),
    (message) => told.push(message),
  );
  await orderOf(turns, [1, 2, 3]);
  expect(told).toEqual(["inputs 2 and 3 change the same lines: a.txt"]);
});

describe("a stop while they wait", () => {
  test("nobody who waits gets a turn, and who has one keeps it", async () => {
    const { trees } = predicting({});
    const turns = new MergeTurns(trees, () => undefined);
    const stop = new AbortController();
    const mine = await turns.take({ index: 1, branch: "b1" }, stop.signal);
    const others = [2, 3].map((index) => turns.take({ index, branch: `b${index}` }, stop.signal));
    stop.abort();
    expect(await Promise.all(others)).toEqual([null, null]);
    expect(mine).not.toBeNull();
    mine?.();
    expect(await turns.take({ index: 4, branch: "b4" }, stop.signal)).toBeNull();
  });

  test("one that leaves while its conflicts are predicted does not hold up the next", async () => {
    let answer: (files: readonly string[]) => void = () => undefined;
    let isAsked: () => void = () => undefined;
    const asked = new Promise<void>((done) => {
      isAsked = done;
    });
    const turns = new MergeTurns(
      unknown(
        async () =>
          new Promise((done) => {
            answer = done;
            isAsked();
          }),
      ),
      () => undefined,
    );
    const first = await turns.take({ index: 9, branch: "b9" }, never());
    const stop = new AbortController();
    const gone = turns.take({ index: 1, branch: "b1" }, stop.signal);
    const stays = turns.take({ index: 2, branch: "b2" }, never());
    first?.();
    await asked;
    stop.abort();
    expect(await gone).toBeNull();
    const timer = setInterval(() => answer([]), 1);
    const release: Release | null = await stays;
    clearInterval(timer);
    expect(release).not.toBeNull();
  });
});

describe("a merge is only predicted for what may conflict", () => {
  /** Branches to the files that they change; conflicts as in {@link predicting}. */
  function touching(
    files: Readonly<Record<string, string>>,
    conflicts: Readonly<Record<string, readonly string[]>> = {},
  ): { readonly trees: Trees; readonly asked: string[]; readonly looked: string[] } {
    const { trees, asked } = predicting(conflicts);
    const looked: string[] = [];
    const changes: Trees["changes"] = async (branch) => {
      looked.push(branch);
      const found = (files[branch] ?? "")
        .split(" ")
        .map((path) => ({ path, status: "modified" }) as const);
      return Promise.resolve(found);
    };
    return { trees: { ...trees, changes }, asked, looked };
  }

  test("20 that wait and touch files of their own: one prediction and one look for each", async () => {
    const indexes = Array.from({ length: 20 }, (_, at) => at + 1);
    const own = Object.fromEntries(indexes.map((index) => [`b${index}`, `${index}.txt`]));
    const { trees, asked, looked } = touching(own);
    expect(await orderOf(new MergeTurns(trees, () => undefined), indexes)).toEqual(indexes);
    // The last one is alone in the end.
    expect(asked.toSorted()).toEqual(indexes.map((index) => `b${index} session`).toSorted());
    expect(looked.toSorted()).toEqual(indexes.map((index) => `b${index}`).toSorted());
  });

  test("the order is that of the predictions, which are made again where something has come in", async () => {
    const { trees, asked } = touching(
      { b1: "both.txt", b2: "both.txt", b3: "other.txt", b4: "other.txt more.txt" },
      {
        "b1 b2": ["both.txt"],
        "b3 session": ["other.txt"],
        "b4 session": ["other.txt", "more.txt"],
      },
    );
    // 1 and 2: one each, 3: one, 4: two. After 1 only 2 is looked at anew.
    expect(await orderOf(new MergeTurns(trees, () => undefined), [1, 2, 3, 4])).toEqual([
      1, 2, 3, 4,
    ]);
    const times = (pair: string): number => asked.filter((each) => each === pair).length;
    expect(["b1 b2", "b3 b4", "b1 b3", "b2 b4"].map(times)).toEqual([1, 1, 0, 0]);
    expect(["b1", "b2", "b3", "b4"].map((branch) => times(`${branch} session`))).toEqual([
      1, 2, 1, 1,
    ]);
  });
});
