/**
 * HEAD read off the files of the repository: after each commit mmm asks what has become of it, and a process costs
 * more than all else of that. `null` for whatever is not plain: then git is asked.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { inflate } from "node:zlib";
import type { Place } from "./place.ts";

export interface LooseCommit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly subject: string;
}

/** A message is at most 100 000 units; more than that is not read here. */
const MOST_BYTES = 1024 * 1024;
const NAME = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** In files that git writes whole: a branch, and the commit it names. */
export async function readLooseHead(place: Place): Promise<LooseCommit | null> {
  const head = await text(join(place.gitDir, "HEAD"));
  const branch = /^ref: (refs\/heads\/[^\n]+)\n$/.exec(head)?.[1];
  if (branch === undefined || branch.split("/").includes("..")) return null;
  const sha = (await text(join(place.commonDir, branch))).trimEnd();
  return NAME.test(sha) ? await readLooseCommit(place, sha) : null;
}

export async function readLooseCommit(
  { commonDir }: Pick<Place, "commonDir">,
  sha: string,
): Promise<LooseCommit | null> {
  const file = join(commonDir, "objects", sha.slice(0, 2), sha.slice(2));
  const packed = await readFile(file).catch(() => null);
  if (packed === null) return null;
  const object = await unpack(packed, { maxOutputLength: MOST_BYTES }).catch(() => null);
  return object === null ? null : parse(sha, object.toString("utf8"));
}

const unpack = promisify(inflate) as (
  packed: Buffer,
  options: { readonly maxOutputLength: number },
) => Promise<Buffer>;

function parse(sha: string, object: string): LooseCommit | null {
  const [kind, content = ""] = halves(object, "\0");
  const [header, message] = halves(content, "\n\n");
  if (!kind.startsWith("commit ") || message === undefined) return null;
  // In another encoding than ours.
  if (/^encoding /m.test(header)) return null;
  const tree = /^tree ([0-9a-f]+)$/m.exec(header)?.[1];
  const parents = [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].flatMap(([, name]) => name ?? []);
  const [subject = "", second = ""] = message.split("\n", 2).map((line) => line.trimEnd());
  // git joins the lines of the first paragraph, and skips empty ones before it.
  const isPlain = subject !== "" && second === "";
  return tree !== undefined && isPlain ? { sha, tree, parents, subject } : null;
}

function halves(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

async function text(file: string): Promise<string> {
  return await readFile(file, "utf8").catch(() => "");
}
