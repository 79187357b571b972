import { openTree } from "../../src/git/tree.ts";
import type { OpenTreeOptions, SessionTree } from "../../src/git/tree.ts";
import { checkReady } from "../../src/git/ready.ts";
import type { ReadyOptions } from "../../src/git/ready.ts";
import { findRepository } from "../../src/git/repository.ts";
import type { CommitOutcome, CommitRequest } from "../../src/engine/ports.ts";
import { makeRepo } from "../support/temp-repo.ts";
import type { TempRepo, TempRepoOptions } from "../support/temp-repo.ts";
import { afterEach } from "vitest";

const made: TempRepo[] = [];

afterEach(async () => {
  for (const repo of made.splice(0)) await repo.dispose();
});

/** A temp repository that is gone after the test. */
export async function repoOf(
  files?: Readonly<Record<string, string>>,
  options?: TempRepoOptions,
): Promise<TempRepo> {
  const repo = await makeRepo(files, options);
  made.push(repo);
  return repo;
}

export async function treeOf(
  repo: TempRepo,
  options: Partial<ReadyOptions> & {
    readonly limits?: NonNullable<OpenTreeOptions["limits"]>;
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<SessionTree> {
  const start = await findRepository(options.cwd ?? repo.root, { ...repo.env, ...options.env });
  const ready = await checkReady(start, {
    allowDirty: options.allowDirty ?? false,
    ownFiles: options.ownFiles ?? [],
  });
  return await openTree({ start, session: "s-1", ready, limits: options.limits ?? {} });
}

export async function commitOf(
  tree: SessionTree,
  request: Partial<CommitRequest> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<CommitOutcome> {
  return await tree.commit(
    {
      message: "step",
      trailers: [],
      changes: (await tree.look()).changes,
      everything: false,
      ...request,
    },
    signal,
  );
}
