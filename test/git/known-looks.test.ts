/** The look that a session was given at a tree that it has just made. */
import { describe, expect, it } from "vitest";
import { readyAsItIs } from "../../src/git/ready.ts";
import { findRepository } from "../../src/git/repository.ts";
import { openTree } from "../../src/git/tree.ts";
import type { SessionTree } from "../../src/git/tree.ts";
import type { TreeLook } from "../../src/engine/ports.ts";
import type { TempRepo } from "../support/temp-repo.ts";
import { repoOf } from "./support.ts";

async function open(isUntouched?: () => boolean): Promise<{ repo: TempRepo; tree: SessionTree }> {
  const repo = await repoOf({ a: "1", b: "1" });
  const start = await findRepository(repo.root, repo.env);
  const seen = await readyAsItIs(start);
  const more = isUntouched === undefined ? {} : { isUntouched };
  return { repo, tree: await openTree({ start, session: "s-1", ...seen, ...more }) };
}

function paths({ changes }: TreeLook): readonly string[] {
  return changes.map(({ path }) => path);
}

describe("a tree that was looked at a moment ago", () => {
  it("answers the first two looks from that while nothing runs, and takes the third", async () => {
    const { repo, tree } = await open(() => true);
    await repo.write("a", "2");

    expect(paths(await tree.look())).toEqual([]);
    expect(paths(await tree.look())).toEqual([]);
    expect(paths(await tree.look())).toEqual(["a"]);
  });

  it("looks the second time when something has run since", async () => {
    let runs = 0;
    const { repo, tree } = await open(() => runs === 0);

    expect(paths(await tree.look())).toEqual([]);
    runs += 1;
    await repo.write("a", "2");
    expect(paths(await tree.look())).toEqual(["a"]);
  });

  it("looks the second time when nobody knows whether something has run", async () => {
    const { repo, tree } = await open();

    await tree.look();
    await repo.write("a", "2");
    expect(paths(await tree.look())).toEqual(["a"]);
  });

  it("looks the second time when it was itself changed in between", async () => {
    const { repo, tree } = await open(() => true);
    const point = await tree.mark(await tree.look());
    await repo.write("a", "2");
    await repo.git("commit", "--quiet", "--all", "--message=by hand");

    await tree.rollback(point);

    expect((await tree.look()).head).toBe(point.head);
    const other = await open(() => true);
    await other.tree.look();
    await other.repo.write("b", "2");
    const changes = [{ path: "b", kind: "modified" }] as const;
    const request = { message: "step", trailers: [], changes, everything: false };
    const made = await other.tree.commit(request, new AbortController().signal);
    expect(made.kind).toBe("committed");
    expect(await other.tree.look()).toMatchObject({ head: "sha" in made ? made.sha : "" });
  });

  it("sees a change of the same second and the same size in the look itself", async () => {
    const repo = await repoOf({ a: "1", b: "1" });
    const start = await findRepository(repo.root, repo.env);
    await repo.git("checkout-index", "--all", "--force", "--index");
    await repo.write("b", "2");

    expect((await readyAsItIs(start)).ready.protectedPaths).toEqual(["b"]);
  });
});
