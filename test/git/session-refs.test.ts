/** What git keeps for a session, found and removed (spec 5). */
import { afterEach, beforeEach, expect, test } from "vitest";
import { createPlace } from "../../src/git/place.ts";
import { findRepository } from "../../src/git/repository.ts";
import { deleteRefs, sessionRefs } from "../../src/git/session-refs.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

let repo: TempRepo;

beforeEach(async () => {
  repo = await makeRepo();
});

afterEach(async () => {
  await repo.dispose();
});

test("refs are told apart by session, and only those asked for go", async () => {
  const mine = ["refs/mmm/failed/mmm-a-1/1", "refs/mmm/failed/mmm-a-1/2", "refs/mmm/snap/mmm-a-1"];
  const others = ["refs/mmm/failed/mmm-a-1-2/1", "refs/mmm/snap/mmm-b-1", "refs/mmm/other/mmm-a-1"];
  for (const ref of [...mine, ...others]) await repo.git("update-ref", ref, "HEAD");
  const place = createPlace(await findRepository(repo.root, repo.env));

  const found = await sessionRefs(place);
  await deleteRefs(place, found.get("mmm-a-1") ?? []);
  await deleteRefs(place, found.get("mmm-a-1") ?? []);
  await deleteRefs(place, []);

  expect(found.get("mmm-a-1")?.toSorted()).toEqual(mine);
  expect(found.has("other")).toBe(false);
  const left = await repo.git("for-each-ref", "--format=%(refname)", "refs/mmm/");
  expect(left.split("\n")).toEqual(others.toSorted());
});
