import { describe, expect, it } from "vitest";
import { readLooseHead } from "../../src/git/loose-commit.ts";
import { createPlace } from "../../src/git/place.ts";
import { findRepository } from "../../src/git/repository.ts";
import type { TempRepo } from "../support/temp-repo.ts";
import { repoOf } from "./support.ts";

async function read(repo: TempRepo): ReturnType<typeof readLooseHead> {
  return await readLooseHead(createPlace(await findRepository(repo.root, repo.env)));
}

async function asked(repo: TempRepo): Promise<unknown> {
  const format = "--format=%H%x00%T%x00%P%x00%s";
  const [sha, tree, parents = "", subject] = (await repo.git("log", "-1", format)).split("\0");
  return { sha, tree, parents: parents === "" ? [] : parents.split(" "), subject };
}

function verbatim(repo: TempRepo, message: string): Promise<string> {
  return repo.git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message);
}

describe("HEAD read off its files", () => {
  it.each(["one", "two  spaces ä\n\nbody\n\nbody: two", "#three \n", " four\n \nparent 1"])(
    "is what git log says: %j",
    async (message) => {
      const repo = await repoOf();
      await verbatim(repo, message);

      expect(await read(repo)).toEqual(await asked(repo));
    },
  );

  it("knows the first commit, and a merge, in a linked worktree too", async () => {
    const repo = await repoOf();
    expect(await read(repo)).toEqual(await asked(repo));
    await repo.git("switch", "-q", "-c", "other");
    await verbatim(repo, "on other");
    await repo.git("switch", "-q", "main");
    await repo.git("merge", "-q", "--no-ff", "-m", "merged", "other");
    expect(await read(repo)).toEqual(await asked(repo));
    await repo.git("worktree", "add", "-q", "-b", "linked", `${repo.base}/linked`);
    const linked = await findRepository(`${repo.base}/linked`, repo.env);

    expect(await readLooseHead(createPlace(linked))).toEqual(await asked(repo));
  });

  it.each(["first line\nsecond line", "\nafter an empty line"])(
    "leaves it to git what a subject of several lines is: %j",
    async (message) => {
      const repo = await repoOf();
      await verbatim(repo, message);

      expect(await read(repo)).toBeNull();
    },
  );

  it("leaves to git what is packed, detached, or in another encoding", async () => {
    const repo = await repoOf();
    await repo.git("-c", "i18n.commitEncoding=latin1", "commit", "-q", "--allow-empty", "-m", "x");
    expect(await read(repo)).toBeNull();
    await verbatim(repo, "plain");
    expect(await read(repo)).not.toBeNull();
    await repo.git("switch", "-q", "--detach");
    expect(await read(repo)).toBeNull();
    await repo.git("switch", "-q", "main");
    await repo.git("gc", "-q");

    expect(await read(repo)).toBeNull();
  });
});
