/** `.mmm/config.yml` of the repository over `~/.mmm/config.yml`, key by key (spec 1). */
import { readFile, stat } from "node:fs/promises";
import type { ProjectCommands } from "../engine/ports.ts";
import { MmmError } from "../errors.ts";
import { check } from "../playbook/check.ts";
import { readLimits } from "../playbook/limits.ts";
import type { ClaudeOptions, Limits, WorktreeSetup } from "../playbook/model.ts";
import { Problems } from "../playbook/problems.ts";
import { positionAt, sourceFile } from "../playbook/source.ts";
import { describe, type Entries } from "../playbook/tree.ts";
import { boolOf, entriesOf, textOf } from "../playbook/values-of.ts";
import { readSetup } from "../playbook/worktree.ts";
import { parseYaml } from "../playbook/yaml.ts";
import { readClaudeOptions } from "../steps/claude.ts";
import { PROJECT_FIELDS } from "../values/gate-words.ts";
import { configShape } from "./config-schema.ts";
import { configFiles } from "./config-files.ts";
import type { Invocation } from "./cook-request.ts";

export interface Config {
  /** Defaults for every Claude step. */
  readonly claude: ClaudeOptions;
  readonly claudeBin: string | null;
  /** A denied permission fails the step (spec 6.2). */
  readonly strictPermissions: boolean;
  readonly limits: Limits;
  /** How worktrees are prepared; a playbook's own keys beat these. */
  readonly worktree: Partial<WorktreeSetup>;
  /** The project's own commands; what is missing is detected (spec 2.6). */
  readonly project: Partial<ProjectCommands>;
}

/** In the specification, and not in this version: an error rather than a key that does nothing. */
const NOT_YET = ["defaults"];

/** Throws `MmmError` (exit 2) with file, line and column of everything that is wrong in both files. */
export async function readConfig(invocation: Invocation, mainRoot: string): Promise<Config> {
  const files = configFiles(invocation.env, mainRoot);
  const problems: ConfigProblem[] = [];
  const user = await readOne(files.user, problems);
  const project = await readOne(files.project, problems);
  if (problems.length > 0) throw refusal(problems);
  const section = (name: string): Entries =>
    new Map([...entriesOf(user.get(name)?.value), ...entriesOf(project.get(name)?.value)]);
  const claude = section("claude");
  const commands = section("project");
  return {
    claude: readClaudeOptions(claude),
    claudeBin: textOf(claude, "bin"),
    strictPermissions: boolOf(claude, "strict_permissions") ?? false,
    limits: readLimits(section("limits")),
    worktree: readSetup(section("worktree")),
    project: Object.fromEntries(
      PROJECT_FIELDS.flatMap((field) => {
        const command = textOf(commands, field);
        return command === null ? [] : [[field, command]];
      }),
    ),
  };
}

interface ConfigProblem {
  /** `file:line:column` and what is wrong there. */
  readonly message: string;
  readonly next: readonly string[];
}

/** Nobody mends more at once. */
const MAX_PROBLEMS = 20;

function refusal(problems: readonly ConfigProblem[]): MmmError {
  const [first] = problems;
  if (first !== undefined && problems.length === 1) return new MmmError("config", 2, first);
  const shown = problems.slice(0, MAX_PROBLEMS);
  const left = problems.length - shown.length;
  return new MmmError("config", 2, {
    message: `${problems.length} problems in the config`,
    next: [
      ...shown.map(({ message, next }) => [message, ...next].join("; ")),
      ...(left > 0 ? [`and ${left} more`] : []),
    ],
  });
}

/** Its sound entries; all that is wrong is added to `found`. */
async function readOne(file: string, found: ConfigProblem[]): Promise<Entries> {
  const text = await textOfFile(file);
  if (text === null) return new Map();
  const problems = new Problems(text.length);
  const entries = readText(text, problems);
  const source = sourceFile(file, text);
  for (const { code, range, message, help } of problems.sorted) {
    // Nothing but comments says nothing, and is fine.
    if (code === "empty") continue;
    const { line, column } = positionAt(source, range.start);
    const place = `${file}:${line}:${column}`;
    found.push({ message: `${place} ${message}`, next: help === undefined ? [] : [help] });
  }
  return entries;
}

function readText(text: string, problems: Problems): Entries {
  const tree = parseYaml(text, problems, "config");
  if (tree === null) return new Map();
  if (tree.kind !== "mapping") {
    const message = `the config must be a mapping, not ${describe(tree)}`;
    problems.error("wrong-type", tree.range, message, { help: "as in claude: {model: opus}" });
    return new Map();
  }
  const entries = new Map(tree.entries);
  for (const name of NOT_YET) {
    const entry = entries.get(name);
    if (entry === undefined) continue;
    const message = `\`${name}\` is not supported by this version of mmm`;
    problems.error("not-supported", entry.key.range, message, { help: "remove it" });
    entries.delete(name);
  }
  return check({ ...tree, entries, what: "the config" }, configShape, problems);
}

/** `null`: there is none. What is there and cannot be read is an error, for it would be ignored. */
async function textOfFile(file: string): Promise<string | null> {
  const refuse = (reason: string, cause?: unknown): MmmError =>
    new MmmError("config", 2, {
      message: `cannot read the config ${file}: ${reason}`,
      next: [`ls -l ${file}`],
      cause,
    });
  try {
    if (!(await stat(file)).isFile()) throw refuse("it is not a regular file");
    return (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof MmmError) throw error;
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
}
