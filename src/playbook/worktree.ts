/** `worktree:` of a header or a config (spec 8.1). */
import * as z from "zod";
import * as is from "../steps/schema.ts";
import { once } from "../steps/shape.ts";
import type { PlaybookWorktree, WorktreeSetup } from "./model.ts";
import type { Entries, Tree } from "./tree.ts";
import { entriesOf, listOfTexts } from "./values-of.ts";

const INSIDE = "a path inside of the repository, as in node_modules";

/** No way out of the repository, no repository of git's own, no reference: it is taken as it stands. */
const inside = once(() => is.text.refine(isInside, { error: INSIDE }).meta(is.formed("inside")));

const places = once(() =>
  z.union([inside(), z.array(inside(), { error: "a list of paths" })], { error: INSIDE }),
);

export const setupSchema = once(() =>
  z.strictObject(
    { copy: places().optional(), link: places().optional(), run: is.texts().optional() },
    { error: "a mapping, as in {copy: [.env], link: [node_modules], run: [npm ci]}" },
  ),
);

export const worktreeSchema = once(() =>
  z.union([is.bool, setupSchema()], {
    error: "true, false, or a mapping as in {link: [node_modules]}",
  }),
);

function isInside(place: string): boolean {
  const parts = place.replace(/\/+$/, "").split("/");
  return parts.every((part) => part !== "" && part !== "." && part !== ".." && !isGit(part));
}

function isGit(part: string): boolean {
  return part.toLowerCase() === ".git";
}

export function readWorktree(tree: Tree | undefined): PlaybookWorktree {
  if (tree === undefined) return { wanted: false, setup: {} };
  if (tree.kind === "scalar") return { wanted: tree.value === true, setup: {} };
  return { wanted: true, setup: readSetup(entriesOf(tree)) };
}

/** Entries that have passed the schema. */
export function readSetup(entries: Entries): Partial<WorktreeSetup> {
  const found: { -readonly [key in keyof WorktreeSetup]?: WorktreeSetup[key] } = {};
  for (const key of ["copy", "link", "run"] as const) {
    const texts = listOfTexts(entries, key)?.map(({ value }) => value);
    if (texts !== undefined)
      found[key] = key === "run" ? texts : texts.map((text) => text.replace(/\/+$/, ""));
  }
  return found;
}
