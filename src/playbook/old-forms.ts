/** Forms of the original that are still read, each with a note that shows today's (spec 2.1). */
import { kindKeys } from "../steps/registry.ts";
import { unknownKey } from "./check.ts";
import { withDefaults } from "./common.ts";
import type { SourceText } from "./model.ts";
import type { Problems } from "./problems.ts";
import { prefixText } from "./source-text.ts";
import { describe, type Entries, type Entry, type ScalarTree, type Tree } from "./tree.ts";

/** Keys of `metadata` that belong to the step itself. */
export const METADATA = ["timeout", "continue_on_error", "env", "commit_required", "analysis"];

/** A step's entries with every old form replaced by what it means today. */
export function withoutOldForms(entries: Entries, problems: Problems): Entries {
  let now = entries;
  if (now.has("test")) now = convertTest(now, problems);
  if (now.has("metadata")) now = convertMetadata(now, problems);
  const isCommand = kindKeys.every((key) => !now.has(key));
  if (now.has("options") && now.has("name") && isCommand) now = convertOptions(now, problems);
  return now;
}

function take(
  entries: Entries,
  name: string,
): { entry: Entry | undefined; rest: Map<string, Entry> } {
  const rest = new Map(entries);
  const entry = rest.get(name);
  rest.delete(name);
  return { entry, rest };
}

/** `test: "cmd"` and `test: {command, on_failure}` are shell steps. */
function convertTest(entries: Entries, problems: Problems): Entries {
  const { entry, rest } = take(entries, "test");
  if (entry === undefined || kindKeys.some((key) => rest.has(key))) return entries;
  const { key, value } = entry;
  if (value.kind !== "mapping") {
    if (value.kind === "scalar") noteOld(entry, `shell: ${value.text.value}`, problems);
    return rest.set("shell", { key, value });
  }
  const command = value.entries.get("command");
  for (const name of value.entries.keys()) {
    const allowed = ["command", "on_failure"];
    if (!allowed.includes(name)) {
      unknownKey({ key: name, entries: value.entries, allowed }, problems);
    }
  }
  if (command === undefined) {
    problems.error("missing-key", key.range, "`test.command` is missing", {
      help: 'write the step as `shell: "..."`',
    });
    return rest.set("shell", { key, value: scalarOf(key) });
  }
  const handler = value.entries.get("on_failure");
  const shown = command.value.kind === "scalar" ? command.value.text.value : "...";
  noteOld(
    entry,
    handler === undefined ? `shell: ${shown}` : `{shell: ${shown}, on_failure: ...}`,
    problems,
  );
  if (handler !== undefined) rest.set("on_failure", handler);
  return rest.set("shell", { key, value: command.value });
}

function scalarOf(text: SourceText): ScalarTree {
  return { kind: "scalar", value: text.value, text, range: text.range, size: 1 };
}

/** The keys of `metadata` belong to the step itself; one that is there already wins. */
function convertMetadata(entries: Entries, problems: Problems): Entries {
  const { entry, rest } = take(entries, "metadata");
  if (entry === undefined) return entries;
  if (entry.value.kind !== "mapping") {
    const message = `\`metadata\` must be a mapping, not ${describe(entry.value)}`;
    problems.error("wrong-type", entry.value.range, message, { help: "remove it" });
    return rest;
  }
  const { entries: inner } = entry.value;
  const lifted = [...inner].filter(([key]) => METADATA.includes(key));
  for (const [key, { key: place }] of inner) {
    if (METADATA.includes(key)) continue;
    if (key === "retries") {
      const help = "write `retry: {attempts: 3}` in the step itself: runs, the first one included";
      problems.error("unknown-key", place.range, "unknown key `retries`", { help });
    } else unknownKey({ key, entries: inner, allowed: METADATA }, problems);
  }
  const taken = lifted.filter(([key]) => key !== "env" && rest.has(key)).map(([key]) => key);
  const moved = lifted.map(([key]) => key).filter((key) => !taken.includes(key));
  const merged = withDefaults(rest, new Map(lifted));
  const help = [
    moved.length > 0 ? `write ${quoted(moved)} in the step itself` : "",
    taken.length > 0 ? `remove ${quoted(taken)}, which the step has already` : "",
  ].filter((part) => part !== "");
  problems.note("old-form", entry.key.range, "`metadata` is an old form", {
    help: help.length === 0 ? "remove it" : help.join(", and "),
  });
  return merged;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

/** `options: {focus: x}` of a command become its arguments `--focus x`. */
function convertOptions(entries: Entries, problems: Problems): Entries {
  const { entry, rest } = take(entries, "options");
  if (entry === undefined) return entries;
  if (entry.value.kind !== "mapping") {
    const message = `\`options\` must be a mapping, not ${describe(entry.value)}`;
    const help = "write the arguments as `args: [...]`";
    problems.error("wrong-type", entry.value.range, message, { help });
    return rest;
  }
  const before = rest.get("args");
  const added = [...entry.value.entries].flatMap(([name, option]) => {
    if (option.value.kind === "scalar") return optionArgs(option, option.value);
    const message = `\`options.${name}\` must be a text, a number, true or false, not ${describe(option.value)}`;
    problems.error("wrong-type", option.value.range, message);
    return [];
  });
  const items = [...(before?.value.kind === "list" ? before.value.items : []), ...added];
  const shown = items.map((item) =>
    item.kind === "scalar" ? JSON.stringify(item.text.value) : "?",
  );
  noteOld(entry, `args: [${shown.join(", ")}]`, problems);
  if (before !== undefined && before.value.kind !== "list") return rest;
  const { range } = entry.value;
  return rest.set("args", {
    key: entry.key,
    value: { kind: "list", items, range, size: items.length + 1 },
  });
}

function optionArgs({ key }: Entry, value: ScalarTree): readonly Tree[] {
  if (value.value === false || value.value === null) return [];
  const flag = scalarOf(prefixText("--", key));
  return value.value === true ? [flag] : [flag, value];
}

function noteOld({ key }: Entry, now: string, problems: Problems): void {
  const line = now.includes("\n") ? `${now.slice(0, now.indexOf("\n"))} ...` : now;
  const help = `write \`${line.slice(0, 160)}\``;
  problems.note("old-form", key.range, `\`${key.value}\` is an old form`, { help });
}
