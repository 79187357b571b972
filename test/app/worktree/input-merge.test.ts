/** An input's branch and the session's: merged beside all trees, shown, landed (spec 8.4). */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InputMerges } from "../../../src/app/worktree/input-merge.ts";
import { makeRepo, type TempRepo } from "../../support/temp-repo.ts";
import { addInput, commitIn, type Opened, openSession, SESSION } from "./support.ts";

let repo: TempRepo;
let session: Opened;
let merges: InputMerges;
let base: string;
beforeEach(async () => {
  repo = await makeRepo({ "a.txt": "a\n" });
  session = await openSession(repo);
  merges = new InputMerges(session.own, SESSION);
  base = session.here.head;
  for (const name of ["i1", "i2", "i3"]) await addInput(session, name);
});
afterEach(async () => repo.dispose());

const tipNow = async (): Promise<string> => repo.git("rev-parse", SESSION);
const work = async (name: string, files: Readonly<Record<string, string>>): Promise<string> =>
  commitIn(repo, session.placeOf(name), files);

async function make(name: string, isOld = false) {
  const tip = await repo.git("rev-parse", name);
  return merges.make({ name, tip, base, isOld }, await tipNow());
}

/** Made and landed; the commit. */
async function bring(name: string, isOld = false): Promise<string> {
  const made = await make(name, isOld);
  if (made.kind !== "made") throw new Error(`${name}: ${made.kind}`);
  expect(await merges.land(made, await tipNow())).toBe(made.commit);
  return made.commit;
}

describe("is made", () => {
  test("one after the other, as merges with both parents and all files; no tree is touched before", async () => {
    const one = await work("i1", { "one.txt": "1" });
    const two = await work("i2", { "two.txt": "2" });

    const made = await make("i1");
    expect(await tipNow()).toBe(base);
    expect(await repo.git("-C", session.own.root, "status", "--porcelain")).toBe("");
    const first = await bring("i1");
    const second = await bring("i2");

    expect(made).toMatchObject({ kind: "made", onto: base });
    expect(await repo.git("log", "-1", "--format=%P", first)).toBe(`${base} ${one}`);
    expect(await repo.git("log", "-1", "--format=%P", second)).toBe(`${first} ${two}`);
    const message = `Merge branch 'i2' into ${SESSION}\n\nMmm-Session: ${SESSION}\n`;
    expect(await repo.git("log", "-1", "--format=%B", second)).toBe(message);
    expect(await repo.git("ls-tree", "--name-only", second)).toBe("a.txt\none.txt\ntwo.txt");
  });

  test("of nothing when there is no commit, whoever made the tree", async () => {
    expect(await make("i1")).toEqual({ kind: "nothing" });
    expect(await make("i1", true)).toEqual({ kind: "nothing" });
  });

  test("of nothing when the session's branch has it: merged by hand, or by an earlier process", async () => {
    await work("i1", { "one.txt": "1" });
    await bring("i1");
    expect(await make("i1", true)).toEqual({ kind: "nothing" });
    expect(await make("i1")).toEqual({ kind: "nothing" });

    await work("i2", { "two.txt": "2" });
    await repo.git("-C", session.own.root, "merge", "-q", "--no-edit", "i2");
    expect(await make("i2")).toEqual({ kind: "nothing" });
  });

  test("all the same when it has other commits with the same files", async () => {
    await work("i1", { "same.txt": "same" });
    const twin = await work("i2", { "same.txt": "same" });
    await bring("i1");

    const second = await bring("i2");

    expect(await repo.git("log", "-1", "--format=%P", second)).toContain(twin);
    expect(await repo.git("ls-tree", "--name-only", second)).toBe("a.txt\nsame.txt");
  });

  test("not at all when both have changed the same lines: the files, and nothing has moved", async () => {
    await work("i1", { "a.txt": "one\n", "b.txt": "b" });
    await work("i2", { "a.txt": "two\n", "c.txt": "c" });
    const first = await bring("i1");

    expect(await make("i2")).toEqual({ kind: "conflict", files: ["a.txt"] });

    expect(await tipNow()).toBe(first);
    const clean = ["i2", SESSION].map(async (name) =>
      repo.git("-C", session.placeOf(name), "status", "--porcelain"),
    );
    expect(await Promise.all(clean)).toEqual(["", ""]);
    // The next one is not in its way.
    await work("i3", { "d.txt": "d" });
    await bring("i3");
  });
});

describe("lands", () => {
  test("with the session's own tree, once: who asks again gets the same", async () => {
    await work("i1", { "one.txt": "1" });
    const made = await make("i1");
    if (made.kind !== "made") throw new Error(made.kind);

    expect(await merges.land(made, base)).toBe(made.commit);
    expect(await merges.land(made, await tipNow())).toBe(made.commit);

    expect(await tipNow()).toBe(made.commit);
    expect(await readFile(path.join(session.own.root, "one.txt"), "utf8")).toBe("1");
    expect(await repo.git("-C", session.own.root, "status", "--porcelain")).toBe("");
    expect(await repo.git("rev-parse", "main")).toBe(base);
  });

  test("not when the branch has moved since it was made", async () => {
    await work("i1", { "one.txt": "1" });
    await work("i2", { "two.txt": "2" });
    const stale = await make("i2");
    if (stale.kind !== "made") throw new Error(stale.kind);
    const first = await bring("i1");

    expect(await merges.land(stale, await tipNow())).toBeNull();

    expect(await tipNow()).toBe(first);
  });
});

describe("is shown", () => {
  test("in the input's own tree, which stands on its own branch again afterwards", async () => {
    await work("i1", { "one.txt": "1" });
    const tip = await work("i2", { "two.txt": "2" });
    await bring("i1");
    const made = await make("i2");
    if (made.kind !== "made") throw new Error(made.kind);
    const place = { path: session.placeOf("i2"), name: "i2" };
    const git = async (...words: readonly string[]) => repo.git("-C", place.path, ...words);

    expect(await merges.show(place, made.commit)).toBeNull();
    expect(await git("rev-parse", "HEAD")).toBe(made.commit);
    expect(await readFile(path.join(place.path, "one.txt"), "utf8")).toBe("1");
    await merges.unshow(place);

    expect(await git("symbolic-ref", "--short", "HEAD")).toBe("i2");
    expect(await git("rev-parse", "HEAD")).toBe(tip);
    expect(await git("status", "--porcelain")).toBe("");
  });

  test("or says which file of its steps is in the way, and leaves it as it is", async () => {
    await work("i1", { "one.txt": "1" });
    await work("i2", { "two.txt": "2" });
    await bring("i1");
    const made = await make("i2");
    if (made.kind !== "made") throw new Error(made.kind);
    const place = { path: session.placeOf("i2"), name: "i2" };
    await writeFile(path.join(place.path, "one.txt"), "mine");

    expect(await merges.show(place, made.commit)).toContain("one.txt");

    expect(await readFile(path.join(place.path, "one.txt"), "utf8")).toBe("mine");
    expect(await repo.git("-C", place.path, "symbolic-ref", "--short", "HEAD")).toBe("i2");
  });
});
