import * as z from "zod";
import { claudeOptions, readClaudeOptions } from "../steps/claude.ts";
import { defaultsShape } from "../steps/options.ts";
import * as is from "../steps/schema.ts";
import { later } from "../steps/shape.ts";
import { check, unknownKey } from "./check.ts";
import { readCommon } from "./common.ts";
import { readGates } from "./gates.ts";
import { limitsSchema, readLimits } from "./limits.ts";
import type { Playbook } from "./model.ts";
import { paramsSchema, readParams } from "./params.ts";
import type { Problems } from "./problems.ts";
import type { Reading } from "./reading.ts";
import { readSecrets, secretsSchema } from "./secrets.ts";
import { reportUnsupported, withoutUnsupported } from "./step.ts";
import { describe, type Entries, type MappingTree } from "./tree.ts";
import { entriesOf, numberOf, optionalText, readEnv, textOf } from "./values-of.ts";
import { readWorktree, worktreeSchema } from "./worktree.ts";

/** What stands beside `steps` (spec 2.1). `defaults` is checked on its own. */
export const headerShape = later({
  name: () => is.text.optional(),
  description: () => is.anyText.optional(),
  max_iterations: () => is.wholeNumber(1, 1000).optional(),
  env: () => is.env().optional(),
  params: () => paramsSchema().optional(),
  secrets: () => secretsSchema().optional(),
  defaults: () => is.form("defaults").optional(),
  commit: () => z.enum(["auto", "off"], { error: "one of auto off" }).optional(),
  claude: () =>
    z.strictObject(claudeOptions, { error: "a mapping, as in {model: opus}" }).optional(),
  limits: () => limitsSchema().optional(),
  gates: () => is.form("gates").optional(),
  until: () => is.text.optional(),
  worktree: () => worktreeSchema().optional(),
  merge: () => is.form("step-list").optional(),
  steps: () => is.form("step-list").optional(),
  commands: () => is.form("step-list").optional(),
});

const KEYS = Object.keys(headerShape);

export type Header = Omit<Playbook, "file" | "text" | "steps" | "merge">;

/** The header's own keys; `entries` has no old forms any more. */
export function readHeader(tree: MappingTree, stem: string, problems: Problems): Header {
  const kept = withoutUnsupportedClaude(
    reportUnsupported(tree.entries, "header", problems),
    problems,
  );
  const sound = check({ ...tree, entries: kept, what: "a playbook" }, headerShape, problems);
  return {
    name: textOf(sound, "name") ?? stem,
    description: textOf(sound, "description"),
    maxIterations: numberOf(sound, "max_iterations"),
    env: readEnv(sound.get("env")?.value),
    params: readParams(sound.get("params")?.value, problems),
    secrets: readSecrets(sound, problems),
    commit: textOf(sound, "commit") === "off" ? "off" : "auto",
    claude: readClaudeOptions(entriesOf(sound.get("claude")?.value)),
    limits: readLimits(entriesOf(sound.get("limits")?.value)),
    gates: readGates(sound.get("gates")?.value, problems),
    until: optionalText(sound, "until"),
    worktree: readWorktree(sound.get("worktree")?.value),
  };
}

/** Sound entries of `defaults`, all problems in them reported. */
export function readDefaults(tree: MappingTree, reading: Reading): Entries {
  const value = tree.entries.get("defaults")?.value;
  if (value === undefined) return new Map();
  const { problems } = reading;
  if (value.kind !== "mapping") {
    const message = `\`defaults\` must be a mapping, not ${describe(value)}`;
    problems.error("wrong-type", value.range, message, { help: "as in {timeout: 10m}" });
    return new Map();
  }
  const entries = withoutUnsupported(value.entries, problems);
  const sound = check({ ...value, entries, what: "`defaults`" }, defaultsShape, problems);
  // Read once for its problems, with ids of its own: each step reads its copy again.
  readCommon(sound, { range: value.range, depth: 0, loops: 0 }, { ...reading, ids: new Map() });
  return sound;
}

/** The original's `config:` beside the steps: what it knows belongs into the header itself. */
export function withoutConfig(tree: MappingTree, problems: Problems): MappingTree {
  const entries = new Map(tree.entries);
  const config = entries.get("config");
  if (config === undefined) return tree;
  entries.delete("config");
  if (config.value.kind !== "mapping") {
    const message = `\`config\` must be a mapping, not ${describe(config.value)}`;
    problems.error("wrong-type", config.value.range, message, { help: "remove it" });
    return { ...tree, entries };
  }
  const allowed = KEYS.filter((key) => key !== "steps" && key !== "commands");
  const lifted: string[] = [];
  for (const [key, entry] of reportUnsupported(config.value.entries, "header", problems)) {
    if (!allowed.includes(key)) {
      unknownKey({ key, entries: config.value.entries, allowed }, problems);
      continue;
    }
    lifted.push(`\`${key}\``);
    if (!entries.has(key)) entries.set(key, entry);
  }
  const help =
    lifted.length === 0 ? "remove it" : `write ${lifted.join(", ")} in the header itself`;
  problems.note("old-form", config.key.range, "`config` is an old form", { help });
  return { ...tree, entries };
}

function withoutUnsupportedClaude(entries: Entries, problems: Problems): Entries {
  const claude = entries.get("claude");
  if (claude?.value.kind !== "mapping") return entries;
  const inner = reportUnsupported(claude.value.entries, "claude", problems);
  return new Map([
    ...entries,
    ["claude", { ...claude, value: { ...claude.value, entries: inner } }],
  ]);
}
