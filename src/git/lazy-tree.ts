import type { CommitRequest, TreePort } from "../engine/ports.ts";

/** A tree that is opened when something is first asked of it: what is all in the journal never touches it. */
export function lazyTree(root: string, open: () => Promise<TreePort>): TreePort {
  let opened: Promise<TreePort> | null = null;
  const recalled: CommitRequest[] = [];
  const begin = async (): Promise<TreePort> => {
    const port = await open();
    for (const request of recalled) port.recalled(request);
    return port;
  };
  const tree = async (): Promise<TreePort> => (opened ??= begin());
  return {
    root,
    look: async () => (await tree()).look(),
    mark: async (look) => (await tree()).mark(look),
    snapshot: async () => (await tree()).snapshot(),
    movement: async (from, to) => (await tree()).movement(from, to),
    commitsBetween: async (from, to) => (await tree()).commitsBetween(from, to),
    filesSince: async (from, to) => (await tree()).filesSince(from, to),
    sameTree: async (from, to) => (await tree()).sameTree(from, to),
    commit: async (request, signal) => (await tree()).commit(request, signal),
    madeBefore: async (request, from) => (await tree()).madeBefore(request, from),
    // It may have; asking would open it.
    hasProtected: true,
    recalled: (request) => void recalled.push(request),
    keepFailed: async () => (await tree()).keepFailed(),
    keepCommit: async (commit) => (await tree()).keepCommit(commit),
    rollback: async (point) => (await tree()).rollback(point),
    exists: async (path) => (await tree()).exists(path),
    directoryInside: async (path) => (await tree()).directoryInside(path),
  };
}
