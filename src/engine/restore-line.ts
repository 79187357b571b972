/** The line that brings back what a rollback has undone (spec 5), and nothing else. */
import { shellWord } from "../lib/shell-word.ts";

export interface Undone {
  /** `refs/mmm/failed/...`: its tree is the whole working tree as it was left. */
  readonly kept: string;
  /** What it is compared with: the tree, else the commit, as the step or input began. */
  readonly start: string;
  /** Relative to `root`. */
  readonly paths: readonly string[];
  /** How the user calls git from where he stands: `git`, or `git -C DIR`. */
  readonly git: string;
  /** Which input it belongs to; `null`: a session without inputs. */
  readonly input: number | null;
}

/** More do not fit a line that a person reads. */
const MOST_PATHS = 8;

/**
 * Names only what was undone: the kept tree also holds files that nobody has changed, which the user
 * or a later input may have edited since. With many or odd names git itself lists them.
 */
export function restoreLine({ kept, start, paths, git, input }: Undone): string {
  const comment = input === null ? "" : `  # input ${input}`;
  if (changedSides(paths))
    return `${git} diff-tree -p --binary ${start} ${kept} | ${git} apply --whitespace=nowarn${comment}`;
  if (isPlain(paths))
    return `${git} restore --source=${kept} -- ${paths.map(shellWord).join(" ")}${comment}`;
  return (
    `${git} diff --name-only -z ${start} ${kept} | ` +
    `${git} --literal-pathspecs restore --source=${kept} --pathspec-from-file=- --pathspec-file-nul${comment}`
  );
}

/**
 * The same where the tree is gone in which it was undone: as a patch, since the files of another tree may have gone
 * on; git refuses where its index or uncommitted work would be in the way, or the session is not merged there yet.
 */
export function elsewhereLine({ kept, start, paths, input }: Undone, git: string): string {
  const comment = `  # after the merge${input === null ? "" : `: input ${input}`}`;
  const named = isPlain(paths) ? ` -- ${paths.map(shellWord).join(" ")}` : "";
  const made = `${git} diff-tree -p --binary --full-index ${start} ${kept}${named}`;
  return `${made} | ${git} apply --3way --whitespace=nowarn${comment}`;
}

/** `:` and glob characters mean something to git, control characters to the terminal. */
function isPlain(paths: readonly string[]): boolean {
  const plain = paths.every((path) => /^[^\p{Cc}\p{Cf}:*?[\\]+$/u.test(path));
  return plain && paths.length > 0 && paths.length <= MOST_PATHS;
}

/** A file became a folder, or a folder a file: `git restore` stops at the names that it replaces itself. */
function changedSides(paths: readonly string[]): boolean {
  const all = new Set(paths);
  return paths.some((path) => {
    const parts = path.split("/");
    return parts.some((_, count) => count > 0 && all.has(parts.slice(0, count).join("/")));
  });
}
