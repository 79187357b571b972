/** `.mmm/config.yml` of the repository over `~/.mmm/config.yml` (spec 1). */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from "yaml";
import type { ProjectCommands } from "../engine/ports.ts";
import { MmmError } from "../errors.ts";
import { nearest } from "../lib/nearest.ts";
import type { ClaudeOptions } from "../playbook/model.ts";
import { PROJECT_FIELDS, type ProjectField } from "../values/gate-words.ts";
import { PERMISSION_MODES } from "../steps/claude.ts";
import type { Invocation } from "./cook-request.ts";

export interface Config {
  /** Defaults for every Claude step. */
  readonly claude: ClaudeOptions;
  readonly claudeBin: string | null;
  /** A denied permission fails the step (spec 6.2). */
  readonly strictPermissions: boolean;
  /** The project's own commands; what is missing is detected (spec 2.6). */
  readonly project: Partial<ProjectCommands>;
}

/** Keys of `claude:` that this version knows, and how each is checked. */
const CLAUDE_KEYS = [
  "bin",
  "model",
  "permission_mode",
  "allowed_tools",
  "strict_permissions",
] as const;
/** In the specification, and not in this version: an error rather than a key that does nothing. */
const NOT_YET = ["limits", "worktree", "defaults"] as const;

/** Throws `MmmError` (exit 2) with file, line and column of everything that is wrong in both files. */
export async function readConfig(invocation: Invocation, mainRoot: string): Promise<Config> {
  const { env } = invocation;
  const home = env["MMM_HOME"] ?? path.join(env["HOME"] ?? "/nonexistent", ".mmm");
  const problems: ConfigProblem[] = [];
  const user = await readOne(path.join(home, "config.yml"), problems);
  const project = await readOne(path.join(mainRoot, ".mmm", "config.yml"), problems);
  if (problems.length > 0) throw refusal(problems);
  const merged = { ...user, ...project };
  return {
    claude: {
      ...(typeof merged.model === "string" ? { model: merged.model } : {}),
      ...(typeof merged.permission_mode === "string"
        ? { permissionMode: merged.permission_mode }
        : {}),
      ...(merged.allowed_tools === undefined ? {} : { allowedTools: merged.allowed_tools }),
    },
    claudeBin: merged.bin ?? null,
    strictPermissions: merged.strict_permissions ?? false,
    project: { ...user.project, ...project.project },
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

interface ClaudeConfig {
  bin?: string;
  model?: string;
  permission_mode?: string;
  allowed_tools?: string[];
  strict_permissions?: boolean;
  project?: Partial<Record<ProjectField, string>>;
}

async function readOne(file: string, problems: ConfigProblem[]): Promise<ClaudeConfig> {
  const text = await textOf(file);
  if (text === null) return {};
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const refuse = (offset: number, message: string, next: readonly string[] = []): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ message: `${file}:${line}:${col} ${message}`, next });
  };
  const config: ClaudeConfig = {};
  const [broken] = document.errors;
  if (broken !== undefined) refuse(broken.pos[0], broken.message);
  else if (isMap(document.contents)) readTop(document.contents, config, refuse);
  else if (document.contents !== null)
    refuse(0, "the config is a mapping", ["claude:\n    model: ..."]);
  return config;
}

type Refuse = (offset: number, message: string, next?: readonly string[]) => void;

function readTop({ items }: YAMLMap, config: ClaudeConfig, refuse: Refuse): void {
  for (const { key, value } of items) {
    const { name, at } = keyOf(key);
    if (NOT_YET.some((each) => each === name))
      refuse(at, `\`${name}\` is not supported by this version of mmm`);
    else if (name === "project" && isMap(value)) readProject(value, config, refuse);
    else if (name === "project") refuse(at, "`project` is a mapping");
    else if (name !== "claude")
      refuse(at, `unknown key \`${name}\``, suggestion(name, ["claude", "project"]));
    else if (isMap(value)) readClaude(value, config, refuse);
    else refuse(at, "`claude` is a mapping");
  }
}

function readProject({ items }: YAMLMap, config: ClaudeConfig, refuse: Refuse): void {
  config.project = {};
  for (const { key, value } of items) {
    const { name, at } = keyOf(key);
    const known = PROJECT_FIELDS.find((each) => each === name);
    if (known === undefined) {
      refuse(at, `unknown key \`${name}\``, suggestion(name, PROJECT_FIELDS));
    } else if (isScalar(value) && typeof value.value === "string" && value.value.trim() !== "") {
      config.project[known] = value.value;
    } else refuse(at, `\`project.${name}\` is a command as text`);
  }
}

function readClaude({ items }: YAMLMap, config: ClaudeConfig, refuse: Refuse): void {
  for (const { key, value } of items) {
    const { name, at } = keyOf(key);
    const known = CLAUDE_KEYS.find((each) => each === name);
    if (known === undefined) {
      refuse(at, `unknown key \`${name}\``, suggestion(name, CLAUDE_KEYS));
      continue;
    }
    const wrong = take(config, known, isNode(value) ? value : null);
    if (wrong !== null) refuse(at, `\`${name}\` is ${wrong}`);
  }
}

function keyOf(key: unknown): { readonly name: string; readonly at: number } {
  return isScalar(key) ? { name: String(key.value), at: key.range?.[0] ?? 0 } : { name: "", at: 0 };
}

/** `null`: there is none. What is there and cannot be read is an error, for it would be ignored. */
async function textOf(file: string): Promise<string | null> {
  const refuse = (reason: string, cause?: unknown): MmmError =>
    new MmmError("config", 2, {
      message: `cannot read the config ${file}: ${reason}`,
      next: [`ls -l ${file}`],
      cause,
    });
  try {
    if (!(await stat(file)).isFile()) throw refuse("it is not a regular file");
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof MmmError) throw error;
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
}

/** Returns what the value should be, or `null` when it is that. */
function take(
  config: ClaudeConfig,
  key: (typeof CLAUDE_KEYS)[number],
  node: Node | null,
): string | null {
  if (key === "allowed_tools") {
    const items = isSeq(node)
      ? node.items.map((item) => (isScalar(item) ? item.value : null))
      : null;
    if (items === null || !items.every((item) => typeof item === "string"))
      return "a list of texts";
    config.allowed_tools = items.map(String);
    return null;
  }
  const value = isScalar(node) ? node.value : null;
  if (key === "strict_permissions") {
    if (typeof value !== "boolean") return "true or false";
    config.strict_permissions = value;
    return null;
  }
  if (typeof value !== "string" || value === "") return "a text";
  if (key === "permission_mode" && !PERMISSION_MODES.some((mode) => mode === value))
    return `one of ${PERMISSION_MODES.join(" ")}`;
  config[key] = value;
  return null;
}

function suggestion(word: string, candidates: readonly string[]): readonly string[] {
  const near = nearest(word, candidates);
  return [near === null ? `known are: ${candidates.join(", ")}` : `did you mean \`${near}\`?`];
}
