/** From what the user named to a playbook's text (spec 1: shipped examples, no PLAYBOOK). */
// Node makes its files with promises when they are first asked for: 3 ms of each start.
import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { MmmError } from "../errors.ts";
import { nearest } from "../lib/nearest.ts";
import { shellWord } from "../lib/shell-word.ts";

export interface PlaybookFile {
  /** For messages: as typed, or where the shipped one lies. */
  readonly shown: string;
  readonly absolute: string;
  /** It was not there and is taken from the examples that mmm ships. */
  readonly shipped: boolean;
  readonly bytes: Uint8Array;
}

/** More is no playbook (a 10 000-step one has under 1 MiB). */
const MAX_BYTES = 16 * 1024 * 1024;

/** Throws `MmmError` (exit 2) with what could have been meant. */
export function findPlaybook(
  typed: string,
  { cwd, packageRoot }: { readonly cwd: string; readonly packageRoot: string },
): PlaybookFile {
  const absolute = path.resolve(cwd, typed);
  if (existsSync(absolute)) {
    return {
      shown: typed,
      absolute,
      shipped: false,
      bytes: readPlaybookFile(typed, absolute),
    };
  }
  const name = /^(?:examples\/)?([\w-]+?)(?:\.ya?ml)?$/i.exec(typed)?.[1];
  const bare = name !== undefined && (name === typed || typed.startsWith("examples/"));
  const example = path.join(packageRoot, "examples", `${name ?? ""}.yml`);
  if (bare && existsSync(example)) {
    return {
      shown: `examples/${name}.yml`,
      absolute: example,
      shipped: true,
      bytes: readFileSync(example),
    };
  }
  throw notThere(typed, { cwd, packageRoot });
}

/** The error for a missing PLAYBOOK: what could be run here (spec 1). */
export function noPlaybook(where: {
  readonly cwd: string;
  readonly packageRoot: string;
}): MmmError {
  const here = playbooksIn(where.cwd);
  const shipped = shippedNames(where.packageRoot);
  return new MmmError("no-playbook", 2, {
    message: "no playbook was named",
    next: [
      ...here.map((file) => `mmm cook ${file}`),
      ...(shipped.length > 0 ? [`mmm ships: ${shipped.join(", ")} (mmm cook NAME)`] : []),
    ],
  });
}

function readPlaybookFile(typed: string, absolute: string): Uint8Array {
  const stat = statSync(absolute);
  if (stat.isDirectory()) {
    const inside = playbooksIn(absolute, true);
    throw new MmmError("playbook-directory", 2, {
      message: `${typed} is a directory, not a playbook`,
      next: inside.map((file) => `mmm cook ${path.join(typed, file)}`),
    });
  }
  // A device or a pipe has no size, and reading it may never end.
  if (!stat.isFile()) {
    throw new MmmError("playbook-no-file", 2, { message: `${typed} is not a regular file` });
  }
  if (stat.size > MAX_BYTES) {
    throw new MmmError("playbook-too-large", 2, {
      message: `${typed} has ${Math.round(stat.size / 1024 / 1024)} MiB; a playbook has at most 16`,
    });
  }
  try {
    return readFileSync(absolute);
  } catch (error) {
    throw new MmmError("playbook-unreadable", 2, {
      message: `cannot read ${typed}: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

/** Examples of the original that have another name here. */
const ORIGINALS: ReadonlyMap<string, string> = new Map([
  ["analysis-workflow", "tech-debt"],
  ["complex-build-pipeline", "build-pipeline"],
  ["coverage-simplified", "coverage"],
  ["coverage-with-test-debug", "coverage"],
  ["documentation-workflow", "documentation"],
  ["performance-workflow", "performance"],
  ["product-enhancement-workflow", "product-enhancement"],
  ["workflow", "default"],
]);

function notThere(
  typed: string,
  where: { readonly cwd: string; readonly packageRoot: string },
): MmmError {
  const here = playbooksIn(where.cwd);
  const shipped = shippedNames(where.packageRoot);
  const near = nearest(typed, [...here, ...shipped]);
  // `default.yml` is not there, `default` is shipped (spec 1: NAME or examples/NAME.yml).
  const base = path.basename(typed).replace(/\.ya?ml$/i, "");
  const meant = shipped.includes(base) ? base : (ORIGINALS.get(base) ?? near);
  const above = atTop(typed, where.cwd);
  return new MmmError("playbook-missing", 2, {
    message: `there is no playbook ${typed} in ${where.cwd}`,
    next: [
      ...(above === null ? [] : [`it lies at the repository's top: mmm cook ${shellWord(above)}`]),
      ...(meant === null ? [] : [`did you mean ${meant}?`]),
      ...(here.length > 0 ? [`here: ${here.join(", ")}`] : []),
      ...(shipped.length > 0 ? [`mmm ships: ${shipped.join(", ")}`] : []),
    ],
  });
}

/** The way to what was typed from the top of the repository around a directory below it; `null`: not there. */
function atTop(typed: string, cwd: string): string | null {
  if (path.isAbsolute(typed)) return null;
  let top = cwd;
  while (!existsSync(path.join(top, ".git"))) {
    const parent = path.dirname(top);
    if (parent === top) return null;
    top = parent;
  }
  const found = path.join(top, typed);
  return top !== cwd && existsSync(found) ? path.relative(cwd, found) : null;
}

/** Names of YAML files where playbooks usually lie, or in a folder that the user has named; at most 20. */
function playbooksIn(directory: string, isNamed = false): readonly string[] {
  const found: string[] = [];
  for (const folder of [".", "playbooks", "workflows", "examples"]) {
    for (const entry of entriesOf(path.join(directory, folder))) {
      if (!entry.isFile() || !/\.ya?ml$/i.test(entry.name) || entry.name.startsWith(".")) continue;
      if (folder === "." && !isNamed && !looksLikePlaybook(path.join(directory, entry.name)))
        continue;
      found.push(path.join(folder, entry.name));
    }
  }
  return found.sort().slice(0, 20);
}

/** A repository's top holds many YAML files that are something else. */
export function looksLikePlaybook(file: string): boolean {
  const text = textOf(file);
  const shape =
    /^\s*-\s+(claude|shell|name|"?\/?mmm-)|^(steps|commands):|^(\{\s*|[ \t]{0,2})"(steps|commands)"\s*:|^\s*\[\s*\{\s*"(claude|shell|name)"\s*:/m;
  return shape.test(text.slice(0, 20_000));
}

export function shippedNames(packageRoot: string): readonly string[] {
  return entriesOf(path.join(packageRoot, "examples"))
    .filter(({ name }) => name.endsWith(".yml"))
    .map(({ name }) => name.slice(0, -".yml".length))
    .sort();
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
