/** Which command files there are (spec 6.3), in the order in which Claude prefers them. */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { CommandRules } from "../playbook/plan-model.ts";
import { readCommandRules } from "./command-rules.ts";

/** Where Claude looks. */
export interface CommandPlaces {
  /** Where it will run. */
  readonly cwd: string;
  /** Top of the repository or worktree: parents of `cwd` are searched up to here, it included. */
  readonly root: string;
  /** The user's home; the search upwards ends before it. */
  readonly home: string;
  /** `CLAUDE_CONFIG_DIR` when set, in the place of `~/.claude`. */
  readonly configDirectory?: string;
}

export interface CommandFile {
  readonly name: string;
  readonly path: string;
  readonly kind: "command" | "skill";
  readonly scope: "home" | "project";
}

/** More than any repository has; a folder beyond it (a loop of mounts, a wrong link) is not walked. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 12;

/**
 * All that can be resolved, the winner of each name first. Observed with 1.0.128, 2.1.112 and 2.1.329: a
 * skill wins over a command, the home's over the project's, the nearest folder over its parents.
 */
export async function listCommandFiles(places: CommandPlaces): Promise<CommandFile[]> {
  const user = places.configDirectory ?? path.join(places.home, ".claude");
  const folders: [folder: string, scope: CommandFile["scope"]][] = [
    [user, "home"],
    ...projectFolders(places).map((folder): [string, "project"] => [folder, "project"]),
  ];
  const skills: CommandFile[] = [];
  const commands: CommandFile[] = [];
  for (const [folder, scope] of folders) {
    skills.push(...(await listSkills(path.join(folder, "skills"), scope)));
    commands.push(...(await listCommands(path.join(folder, "commands"), scope)));
  }
  return [...skills, ...commands];
}

/** `text` is `null` when the file cannot be read. */
export async function readRulesOf(file: CommandFile): Promise<{
  readonly rules: CommandRules | null;
  readonly problems: readonly string[];
}> {
  try {
    return readCommandRules(await fs.readFile(file.path, "utf8"));
  } catch (error) {
    return { rules: null, problems: [`it cannot be read: ${(error as Error).message}`] };
  }
}

/** `.claude` of `cwd` and its parents up to the root, nearest first, without the home's. */
function projectFolders({ cwd, root, home }: CommandPlaces): string[] {
  const folders: string[] = [];
  for (let directory = path.resolve(cwd); directory !== path.resolve(home);) {
    folders.push(path.join(directory, ".claude"));
    const parent = path.dirname(directory);
    if (directory === path.resolve(root) || parent === directory) break;
    directory = parent;
  }
  return folders;
}

async function listSkills(folder: string, scope: CommandFile["scope"]): Promise<CommandFile[]> {
  const skills: CommandFile[] = [];
  for (const name of await namesIn(folder)) {
    const file = path.join(folder, name, "SKILL.md");
    if ((await kindOf(file)) === "file") skills.push({ name, path: file, kind: "skill", scope });
  }
  return skills;
}

/** `a/b.md` is `a:b`. Links are followed, each folder once; what cannot be read is left out. */
async function listCommands(folder: string, scope: CommandFile["scope"]): Promise<CommandFile[]> {
  const found: CommandFile[] = [];
  const seen = new Set<string>();
  async function walk(directory: string, names: readonly string[]): Promise<void> {
    const real = await fs.realpath(directory).catch(() => null);
    if (real === null || seen.has(real) || names.length > MAX_DEPTH) return;
    seen.add(real);
    for (const entry of await namesIn(directory)) {
      if (found.length >= MAX_FILES) return;
      const full = path.join(directory, entry);
      const kind = await kindOf(full);
      if (kind === "directory") await walk(full, [...names, entry]);
      if (kind === "file" && entry.endsWith(".md"))
        found.push({
          name: [...names, entry.slice(0, -".md".length)].join(":"),
          path: full,
          kind: "command",
          scope,
        });
    }
  }
  await walk(folder, []);
  return found;
}

async function namesIn(directory: string): Promise<string[]> {
  const names = await fs.readdir(directory).catch(() => []);
  return names.sort((one, other) => (one < other ? -1 : 1));
}

/** Links are followed; a broken one is nothing. */
async function kindOf(file: string): Promise<"file" | "directory" | null> {
  const stat = await fs.stat(file).catch(() => null);
  if (stat === null) return null;
  return stat.isDirectory() ? "directory" : stat.isFile() ? "file" : null;
}
