/** Does to a repository what a recording says (spec 6.6). */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { MmmError } from "../errors.ts";
import { git } from "./git.ts";
import type { RecordedChange, RecordedCommit } from "./recording.ts";
import { linkStaysInside, resolveInTree } from "./tree-path.ts";

/** Where; `env` goes to git (spec 7: GIT_REFLOG_ACTION). */
export interface Target {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Real commits, in order, with the user's identity; hooks and signing are off: what hooks did is part of
 * the recording already, and neither may ask or reach out.
 */
const PLAIN_COMMIT = ["-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false"];

/** @throws MmmError `recording-path` (exit 2) for a path that leaves the tree, `recording-git` (exit 3). */
export async function applyCommit(commit: RecordedCommit, { root, env }: Target): Promise<void> {
  await applyChanges(commit.changes, root);
  const names = (wanted: boolean) =>
    commit.changes
      .filter((change) => (change.delete === true) === wanted)
      .map((change) => `${change.path}\0`)
      .join("");
  const call = { cwd: root, env: { ...env, GIT_LITERAL_PATHSPECS: "1" } };
  const fromInput = ["--pathspec-from-file=-", "--pathspec-file-nul"];
  const [gone, kept] = [names(true), names(false)];
  if (gone !== "")
    await git(["rm", "-q", "--cached", "--ignore-unmatch", ...fromInput], { ...call, input: gone });
  // Forced: what was committed although it is ignored is committed again.
  if (kept !== "") await git(["add", "-f", ...fromInput], { ...call, input: kept });
  const message =
    commit.body === undefined ? commit.subject : `${commit.subject}\n\n${commit.body}`;
  await git([...PLAIN_COMMIT, "commit", "-q", "--allow-empty", "--cleanup=whitespace", "-F", "-"], {
    cwd: root,
    env,
    input: message,
  });
}

/** @throws MmmError `recording-path`, exit 2 */
export async function applyChanges(
  changes: readonly RecordedChange[],
  root: string,
): Promise<void> {
  for (const change of changes) await applyChange(change, root);
}

async function applyChange(change: RecordedChange, root: string): Promise<void> {
  const place = await resolveInTree(root, change.path);
  if ("trouble" in place) throw refused(place.trouble);
  const old = await fs.lstat(place.full).catch(() => null);
  if (old?.isDirectory() === true)
    throw refused(`the path ${JSON.stringify(change.path)} is a folder here`);
  // Never through an old link: it is replaced. A new file has no old permissions either.
  if (old !== null) await fs.unlink(place.full);
  if (change.delete === true) {
    await removeEmptyFolders(path.dirname(place.full), root);
    return;
  }
  await fs.mkdir(path.dirname(place.full), { recursive: true });
  const bytes =
    change.base64 === undefined
      ? Buffer.from(change.content ?? "")
      : Buffer.from(change.base64, "base64");
  if (change.mode === "120000") {
    const target = bytes.toString("utf8");
    if (!linkStaysInside(change.path, target))
      throw refused(`the link ${JSON.stringify(change.path)} leads out of the tree`);
    await fs.symlink(target, place.full);
    return;
  }
  await fs.writeFile(place.full, bytes, { flag: "wx" });
  if (change.mode === "100755") await fs.chmod(place.full, 0o755);
}

/** As git does. */
async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let at = folder; at !== root; at = path.dirname(at)) {
    const removed = await fs.rmdir(at).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

function refused(message: string): MmmError {
  return new MmmError("recording-path", 2, { message, next: ["correct the recording"] });
}
