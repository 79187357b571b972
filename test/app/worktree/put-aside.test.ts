/** What an earlier try of an input has left goes; what of it is nowhere else is kept (spec 8.4). */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { putAside } from "../../../src/app/worktree/put-aside.ts";
import { findRepository } from "../../../src/git/repository.ts";
import { listWorktrees, tipOf } from "../../../src/git/worktree.ts";
import { makeRepo, type TempRepo } from "../../support/temp-repo.ts";
import { addInput, commitIn, type Opened, openSession, treeAt } from "./support.ts";

const NAME = "mmm-x-1-i2";
const KEPT = `refs/mmm/failed/${NAME}`;

let repo: TempRepo;
let session: Opened;
let place: string;
beforeEach(async () => {
  repo = await makeRepo({ "a.txt": "a\n" });
  session = await openSession(repo);
  place = session.placeOf(NAME);
});
afterEach(async () => repo.dispose());

async function aside(): Promise<readonly string[]> {
  const { own, here } = session;
  const open = async () => treeAt(await findRepository(place, repo.env), NAME);
  return putAside(own, { name: NAME, path: place, base: here.head, open });
}

async function expectGone(): Promise<void> {
  const { here } = session;
  expect(existsSync(place)).toBe(false);
  expect((await listWorktrees(here)).map((each) => path.basename(each.path))).toEqual([
    path.basename(here.root),
    "mmm-x-1",
  ]);
  expect(await tipOf(here, NAME)).toBeNull();
  expect((await readFile(path.join(session.own.root, "a.txt"), "utf8")).trim()).toBe("a");
}

const keptRefs = async (): Promise<string> =>
  repo.git("for-each-ref", "--format=%(refname)", "refs/mmm/failed");

test("nothing was left: nothing is said, twice", async () => {
  expect(await aside()).toEqual([]);
  expect(await aside()).toEqual([]);
  await expectGone();
});

test("a tree as it was made goes without a word", async () => {
  await addInput(session, NAME);

  expect(await aside()).toEqual([]);

  await expectGone();
  expect(await keptRefs()).toBe("");
});

test("uncommitted files, ones that git has never seen too, are kept under a ref that is named", async () => {
  await addInput(session, NAME);
  await writeFile(path.join(place, "a.txt"), "changed\n");
  await writeFile(path.join(place, "new.txt"), "new\n");

  expect(await aside()).toEqual([`what ${NAME} had left is kept in ${KEPT}/1`]);

  await expectGone();
  expect(await repo.git("show", `${KEPT}/1:a.txt`)).toBe("changed");
  expect(await repo.git("show", `${KEPT}/1:new.txt`)).toBe("new");
});

test("commits are kept, and those that another branch has are not kept again", async () => {
  await addInput(session, NAME);
  const made = await commitIn(repo, place, { "b.txt": "b" });
  expect(await aside()).toEqual([`what ${NAME} had left is kept in ${KEPT}/1`]);
  await expectGone();
  expect(await repo.git("merge-base", "--is-ancestor", made, `${KEPT}/1`)).toBe("");

  await repo.git("branch", NAME, made);
  await repo.git("branch", "theirs", made);
  expect(await aside()).toEqual([]);

  await expectGone();
  expect(await keptRefs()).toBe(`${KEPT}/1`);
});

test("a branch whose folder was deleted by hand is kept, under the next number", async () => {
  await repo.git("update-ref", `${KEPT}/1`, "main");
  await addInput(session, NAME);
  const made = await commitIn(repo, place, { "b.txt": "b" });
  await rm(place, { recursive: true });

  expect(await aside()).toEqual([`what ${NAME} had left is kept in ${KEPT}/2`]);

  await expectGone();
  expect(await repo.git("rev-parse", `${KEPT}/2`)).toBe(made);
});

test("a tree that was switched elsewhere: its own branch is kept as well", async () => {
  await addInput(session, NAME);
  const made = await commitIn(repo, place, { "b.txt": "b" });
  await repo.git("-C", place, "switch", "-q", "--detach", "main");
  await writeFile(path.join(place, "dirt.txt"), "dirt");

  const notes = await aside();

  expect(notes).toHaveLength(2);
  expect(await repo.git("show", `${KEPT}/1:dirt.txt`)).toBe("dirt");
  expect(await repo.git("rev-parse", `${KEPT}/2`)).toBe(made);
  await expectGone();
});

test("what is no worktree of this repository is moved away as it is, an empty folder removed", async () => {
  const made = async (text: string): Promise<void> => {
    await mkdir(place, { recursive: true });
    await writeFile(path.join(place, "mine.txt"), text);
  };
  await mkdir(place, { recursive: true });
  expect(await aside()).toEqual([]);
  await made("one");
  const [first = ""] = await aside();
  await made("two");
  const [second = ""] = await aside();

  expect(first).toBe(
    `what lay at ${place} is no worktree of ${NAME}: it is now ${place}.aside-1 (mmm worktree clean ${NAME}.aside-1 removes it)`,
  );
  expect(second).toContain(`${place}.aside-2`);
  expect(await readFile(`${place}.aside-1/mine.txt`, "utf8")).toBe("one");
  expect(await readFile(`${place}.aside-2/mine.txt`, "utf8")).toBe("two");
  await expectGone();
});
