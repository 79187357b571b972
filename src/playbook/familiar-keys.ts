/** Keys that people know from GitHub Actions, make and their like, and what to write here. */
import type { Entries } from "./tree.ts";

/** Keys that say what a step does, elsewhere: the step needs no second word about it. */
const DOERS = new Set(["run", "uses"]);

const WORDS: ReadonlyMap<string, string> = new Map([
  ["uses", "actions do not run here: write the command as `shell: ...`"],
  ["with", "remove it: values come in through `env`, or `args` beside `name`"],
  ["needs", "remove it: steps run in the order they stand"],
  ["depends_on", "remove it: steps run in the order they stand"],
  ["on", "remove it: mmm is started by you, by cron or in CI"],
  ["runs-on", "remove it: mmm runs where it is started"],
  ["jobs", "write the steps of one job as a list under `steps:`"],
  ["parallel", "remove it: `mmm cook --parallel N` runs N inputs at once"],
]);

const RUNS = "did you mean `retry`, as in `retry: {attempts: 3}`? It counts the first run too";
const FAILS = "did you mean `continue_on_error`?";
const CHECKS = "did you mean `validation`, as in `validation: [{tests_pass: true}]`?";

/** By the key that is meant: they are told only where that one may stand. */
const MEANT: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  condition: each(["if", "when", "only_if"], "did you mean `condition`?"),
  working_dir: new Map([
    ...each(["working-directory", "cwd", "dir"], "did you mean `working_dir`?"),
    ...each(["loop", "with_items"], "write `foreach: [...]` with the steps under `do`"),
  ]),
  timeout: each(["timeout-minutes"], "did you mean `timeout`, as in `timeout: 5m`?"),
  retry: each(["retries", "max_retries", "retry_attempts", "retry_count"], RUNS),
  continue_on_error: each(["ignore_errors", "allow_failure"], FAILS),
  validation: each(["validate", "gate", "checks", "verify"], CHECKS),

  attempts: each(["count", "times", "retries", "max_retries"], "did you mean `attempts`?"),
  initial_delay: each(["delay", "interval", "wait"], "did you mean `initial_delay`?"),
  capture: new Map([
    ...each(["type", "extract", "format"], "did you mean `capture`, as in `capture: json`?"),
    ...each(["json_path", "jsonpath", "json"], 'did you mean `path`, as in `path: "$.a"`?'),
    ...each(["regex", "match"], 'did you mean `pattern`, as in `pattern: "/a(b)/"`?'),
  ]),
  max_iterations: new Map([
    ...each(["iterations"], "did you mean `max_iterations`?"),
    ...each(["parameters", "inputs", "variables"], "did you mean `params`, or `env`?"),
    ...each(["success_criteria", "success"], "write `gates`, and `until` with the name of one"),
    ...each(["version"], "remove it"),
  ]),
};

/** What to write instead of an unknown key; `null`: it is none of them. */
export function familiar(key: string, entries: Entries, allowed: readonly string[]): string | null {
  const isStep = allowed.includes("working_dir");
  if (key === "run" && isStep && !entries.has("shell")) {
    const value = entries.get(key)?.value;
    const text = value?.kind === "scalar" ? value.text.value : "...";
    const [line = "", ...more] = text.trimEnd().split("\n");
    return `write \`shell: ${more.length > 0 ? "|" : line.slice(0, 60)}\``;
  }
  const meant = allowed.map((each) => MEANT[each]?.get(key)).find((help) => help !== undefined);
  return meant ?? WORDS.get(key) ?? null;
}

/** Does the key say, elsewhere, what a step does? */
export function isDoer(key: string): boolean {
  return DOERS.has(key);
}

function each(keys: readonly string[], help: string): ReadonlyMap<string, string> {
  return new Map(keys.map((key) => [key, help]));
}
