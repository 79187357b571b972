/** Keys that people know from GitHub Actions, make and their like, and what to write here. */
import type { Entries } from "./tree.ts";

/** Keys that say what a step does, elsewhere: the step needs no second word about it. */
const DOERS = new Set(["run", "uses"]);

const WORDS: ReadonlyMap<string, string> = new Map([
  ["if", "did you mean `condition`?"],
  ["uses", "actions do not run here: write the command as `shell: ...`"],
  ["with", "remove it: values come in through `env`, or `args` beside `name`"],
  ["needs", "remove it: steps run in the order they stand"],
  ["depends_on", "remove it: steps run in the order they stand"],
  ["on", "remove it: mmm is started by you, by cron or in CI"],
  ["runs-on", "remove it: mmm runs where it is started"],
  ["jobs", "write the steps of one job as a list under `steps:`"],
  ["working-directory", "did you mean `working_dir`?"],
  ["cwd", "did you mean `working_dir`?"],
  ["dir", "did you mean `working_dir`?"],
  ["timeout-minutes", "did you mean `timeout`, as in `timeout: 5m`?"],
]);

/** What to write instead of an unknown key; `null`: it is none of them. */
export function familiar(key: string, entries: Entries, allowed: readonly string[]): string | null {
  const isStep = allowed.includes("working_dir");
  if (key === "run" && isStep && !entries.has("shell")) {
    const value = entries.get(key)?.value;
    const text = value?.kind === "scalar" ? value.text.value : "...";
    const [line = "", ...more] = text.trimEnd().split("\n");
    return `write \`shell: ${more.length > 0 ? "|" : line.slice(0, 60)}\``;
  }
  const words = WORDS.get(key) ?? null;
  return words?.includes("`working_dir`") === true && !isStep ? null : words;
}

/** Does the key say, elsewhere, what a step does? */
export function isDoer(key: string): boolean {
  return DOERS.has(key);
}
