/** `--map` and `--args` to inputs (spec 1, 3.1). */
import path from "node:path";
import type { InputValue } from "../engine/events.ts";
import { MmmError } from "../errors.ts";

export interface FoundInput {
  readonly arg: string;
  /** Absolute; `null` for `--args`. */
  readonly file: string | null;
}

/** Mapped files first, sorted and each once, then the values; a pattern without a match is an error (exit 2). */
export async function findInputs(
  request: { readonly map: readonly string[]; readonly args: readonly string[] },
  cwd: string,
): Promise<readonly FoundInput[]> {
  const files = new Set<string>();
  for (const pattern of request.map) {
    const matches = await filesMatching(pattern, cwd);
    if (matches.length === 0) {
      throw new MmmError("no-match", 2, {
        message: `--map ${pattern} matches no file in ${cwd}`,
        next: ["quote the pattern, and take it from the directory that steps run in"],
      });
    }
    for (const match of matches) files.add(path.normalize(match));
  }
  const mapped = [...files].sort().map((file) => ({ arg: argOf(file), file }));
  return [...mapped, ...request.args.map((arg) => ({ arg, file: null }))];
}

async function filesMatching(pattern: string, cwd: string): Promise<readonly string[]> {
  const { glob } = await import("tinyglobby");
  const { isWildGlob } = await import("../lib/glob.ts");
  if (isWildGlob(pattern)) {
    throw new MmmError("bad-pattern", 2, {
      message: `--map ${pattern.slice(0, 200)} has too many stars: 3 in a name and 3 \`**\` are the most`,
      next: ["use a simpler pattern, or --map several times"],
    });
  }
  try {
    return await glob(pattern, {
      cwd,
      absolute: true,
      dot: true,
      onlyFiles: true,
      followSymbolicLinks: false,
      expandDirectories: false,
      ignore: ["**/.git/**"],
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MmmError("bad-pattern", 2, {
      message: `--map ${pattern.slice(0, 200)} cannot be looked for: ${reason}`,
      next: ["use a shorter or simpler pattern"],
      cause: error,
    });
  }
}

/** The number before the first `-` of the stem when it is all digits (`65-cook.md` is `65`), else the stem. */
function argOf(file: string): string {
  const stem = path.parse(file).name;
  const dash = stem.indexOf("-");
  const lead = dash === -1 ? stem : stem.slice(0, dash);
  return /^\d+$/.test(lead) ? lead : stem;
}

/** With their numbers, and FILE relative to the repository; a file outside of it is an error (exit 2). */
export function numberInputs(found: readonly FoundInput[], root: string): readonly InputValue[] {
  return found.map(({ arg, file }, index) => {
    const relative = file === null ? null : path.relative(root, file).split(path.sep).join("/");
    if (relative !== null && (relative.startsWith("../") || path.isAbsolute(relative))) {
      throw new MmmError("input-outside", 2, {
        message: `--map found ${file ?? ""}, which is outside the repository ${root}`,
        next: ["use a pattern that stays inside"],
      });
    }
    return { arg, file: relative, index: index + 1, total: found.length };
  });
}
