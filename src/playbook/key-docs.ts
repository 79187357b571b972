/**
 * What editors show about each key: a sentence, and the default. One line a key; the tests name the one that is missing.
 * docs/playbook.md has the whole story.
 */
import type { JsonSchema } from "./json-schema-parts.ts";

const CLAUDE = {
  model:
    "The model, as the `claude` CLI takes it: opus, sonnet or a full name. Default: `--model`, else the header's, else the config's.",
  max_turns: "Most turns of the agent. Default: no limit.",
  permission_mode:
    "What Claude may do without asking; replaces the flag that skips permissions. Default: everything, permissions are skipped.",
  allowed_tools:
    'Tools that Claude may use, as in ["Bash(npm test)", "Edit"]; replaces the flag that skips permissions.',
  disallowed_tools: "Tools that Claude may not use.",
  append_system_prompt: "Added to the system prompt.",
  idle_timeout: "A call that prints no event for so long is ended, as in 5m. Default: no limit.",
};

export const keyDocs = {
  header: {
    name: "For people, and for trailers of commits. Default: the file's name without its ending.",
    description: "Shown at the start of a run.",
    max_iterations:
      "Passes over the steps, 1 to 1000. Default: 10 with `until`; else 1 with inputs or without a Claude step, 10 with one.",
    env: "Variables of every step; values may hold references.",
    params: "Values that are given when the playbook is run, with --param or --param-file.",
    secrets:
      "Values that are never shown; each comes from a variable of the environment or from a file.",
    defaults: "Step options for every step at the top; a step's own key wins, `env` is merged.",
    commit: "`off`: no commits and no rollback. Default: auto.",
    claude: "Options of every Claude step; a step's own win.",
    limits:
      "What the whole session may spend, all inputs and resumes together. Default: no limits.",
    gates: "Checks that mmm makes itself, by name: a command, an expression or a figure.",
    until:
      "Stop with success once this expression or gate holds after an iteration; else the run ends with exit 1.",
    worktree:
      "Cook in a git worktree of its own; a mapping says how it is prepared. Default: false, in place.",
    merge:
      "Steps that merge the branch of a session's worktree, in a tree of their own on the target; `${merge.source_branch}`, `${merge.target_branch}`. Default: mmm merges.",
    steps: "The list of steps, in the order they run. Required, here or under `commands`.",
    commands: "Another name for `steps`.",
  },
  step: {
    claude:
      "A prompt, sent as it is; a leading / makes it a command. With options: {prompt, model, ...}.",
    shell: "A command for `sh -c`, or {run, stdin}.",
    analyze: "Refresh the project context in .mmm/context.",
    foreach:
      "Steps once for each item: a list, a reference to one, or {shell: ...} that prints one. `${item}`, `${index}`, `${total}`.",
    do: "The steps of a `foreach`. Required there.",
    max_items: "A longer list fails before its first item. Default: 1000.",
    name: "A label for people; without `claude`, `shell` or `analyze` it is the Claude command to run.",
    args: "Arguments of the command in `name`; one that renders to nothing is left out.",
    id: "Name for references such as ${id.output}: letters, digits, _ and -; unique.",
    condition: "The step runs only when this expression is true, as in ${tests.exit_code} != 0.",
    env: "Variables of this step; values may hold references.",
    secrets: "Names of secrets that a Claude step gets; a shell step has all. Default: none.",
    working_dir: "Folder in the repository, from its top. Default: where mmm runs.",
    timeout: "For one run: seconds, or 500ms, 90s, 1h30m, 2d. Default: none.",
    retry:
      "Run a failed attempt again, after a pause, before its handler is asked: {attempts, backoff, retry_on}. Default: none; a Claude step repeats trouble of the service.",
    on_failure:
      "What runs when the step fails, before it is run again: a step, a list, or {do, max_attempts, fail_workflow}.",
    on_success:
      "What runs after the step has succeeded, before its commit: a step or a list of steps.",
    on_exit_code:
      "Handlers by exit code, as in {101: {shell: ./repair}}; each replaces `on_failure`.",
    continue_on_error: "The failure is recorded and the run goes on. Default: false.",
    commit_required:
      "No new commit by the end of the step is a failure. Default: true for commands by their name, else false; a command's file may say otherwise.",
    commit_message: "Subject and body of mmm's own commit. Default: `name`, else what was run.",
    auto_commit:
      "false: mmm does not commit what the step left; all: without the usual limits. Default: true.",
    outputs: "Named values for later steps, out of files or of what the step printed.",
    validation:
      "Gates that must hold after the step, as in [tests_pass: true]; else it has failed.",
    capture_output:
      "true: stdout becomes $CAPTURED_OUTPUT; a name: the output of that name. Default: false.",
    analysis: "Refresh the project context before the step.",
  },
  claude: {
    prompt: "What Claude is told, sent as it is; a leading / makes it a command. Required.",
    ...CLAUDE,
    output_schema:
      "The answer is JSON that fits this JSON Schema: a mapping, or the path of a file that holds one.",
    continue_session:
      "true: go on with the conversation of the latest Claude step; or the id of an earlier one.",
  },
  shell: {
    run: "The command for `sh -c`. Required.",
    stdin: "Its standard input. Default: empty.",
  },
  analyze: {
    max_cache_age: "A context younger than this is used as it is. Default: 300 (seconds).",
    force_refresh: "Make it anew, however young it is. Default: false.",
    save: "Write it to .mmm/context. Default: true.",
    format: "What ${id.output} holds: summary or json. Default: summary.",
  },
  analysis: {
    max_cache_age: "A context younger than this is used as it is. Default: 300 (seconds).",
    force_refresh: "Make it anew, however young it is. Default: false.",
  },
  retry: {
    attempts: "Most runs in one attempt, the first one included. Default: 3.",
    max_attempts: "Another name for `attempts`.",
    backoff: "How the pause grows: fixed, linear or exponential. Default: exponential.",
    initial_delay: "The first pause. Default: 1s.",
    max_delay: "The longest pause. Default: 30s.",
    jitter: "Vary the pauses, so that many do not come back at once. Default: true.",
    retry_on:
      "Which failures: transient, timeout, {exit_code: [75]} or {pattern: ...}. Default: any of a shell step, transient and timeout of Claude.",
    exit_code: "Exit codes, 1 to 255.",
    pattern: "A literal text, or /regex/, in what the step printed.",
  },
  handler: {
    do: "The steps of the handler.",
    max_attempts:
      "Most runs of the step that failed, the first one included; 1: no repeat. Default: 3, without steps 1.",
    fail_workflow: "false: the failure is recorded and the run goes on. Default: true.",
  },
  output: {
    file_pattern:
      "A file that the step added or changed, newest first, matched on its path and its base name.",
    all: "The list of all such files, not the newest alone. Default: false.",
    capture: "What the step's text is read as: text, lines, json, number, boolean or count.",
    path: 'JSONPath into the JSON of the text, as in "$.items[0].name".',
    pattern:
      "A literal text, or /regex/ with the flags i m s; its first group, or its first match, is the value.",
    from: "Which stream: stdout, stderr or both. Default: stdout.",
    default: "The value when there is none; without it the step fails.",
  },
  gate: {
    shell: "A command for `sh -c`; the gate holds when it succeeds.",
    expression: "A condition; the gate holds when it is true.",
    metric: "A figure, measured before and after the step: {shell: ...} or {coverage: FILE}.",
    must: "What the figure must do: not_regress, increase or decrease. Required with `metric`.",
    tolerance: "How far it may be off with not_regress: a share as in 5%, or a number. Default: 0.",
    better:
      "Which way is better, with not_regress: higher or lower. Default: higher for coverage, else lower.",
    timeout: "For one run of the command, as in 10m. Default: that of the step.",
  },
  metric: {
    shell: "A command; the last number that it prints is the figure.",
    coverage: "A coverage report: lcov, Cobertura XML or Istanbul's json-summary.",
    run: "The command that makes the report; without it somebody else has to, each time.",
  },
  validation: {
    tests_pass: "The project's tests pass.",
    lint_clean: "The project's linter has nothing to say.",
    build_passes: "The project builds.",
    coverage_increased: "More of the project is covered than before the step.",
    performance_regression: "false: the project's benchmark is not worse than before the step.",
  },
  param: {
    type: "string, number, boolean or list. Default: string.",
    required: "Somebody must give it. Default: false.",
    default: "The value when nobody gives one. Default: null.",
    choices: "The only values; of a list, the only items. Default: any.",
    description: "Shown when it is missing.",
  },
  secret: {
    env: "The variable of the environment that holds it.",
    file: "The file that holds it; ~/ is your home, else from the top of the repository.",
  },
  worktree: {
    copy: "Ignored files and folders of the main checkout that are copied in. Default: the config's.",
    link: "Ignored files and folders of the main checkout that are linked to. Default: the config's.",
    run: "Commands that make the fresh worktree ready, as in npm ci. Default: the config's.",
  },
  limits: {
    cost_usd:
      "US dollars; the session is suspended before the next Claude step. Default: no limit.",
    tokens:
      "Tokens in and out and through the cache; the session is suspended before the next Claude step. Default: no limit.",
    duration:
      "Time at work, as in 2h; the session is suspended before the next step. Default: no limit.",
  },
} as const;

export type Place = keyof typeof keyDocs;

const places: Readonly<Record<string, Readonly<Record<string, string>>>> = keyDocs;

/** What stands there says of keys what goes together, not what they mean. */
const RULES: ReadonlySet<string> = new Set(["allOf", "not"]);

/** The schema with the description of each key; keys of a mapping under a key that is a place are that place's. */
export function documented(schema: JsonSchema, at: readonly (string | null)[]): JsonSchema {
  const walk = (value: unknown, around: readonly (string | null)[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, around));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([keyword, inner]) => {
        if (keyword === "properties") return [keyword, properties(inner, around)];
        return [keyword, RULES.has(keyword) ? inner : walk(inner, around)];
      }),
    );
  };
  const properties = (all: object, around: readonly (string | null)[]): object =>
    Object.fromEntries(
      Object.entries(all).map(([key, inner]: [string, unknown]) => {
        if (typeof inner !== "object" || inner === null) return [key, inner];
        const text = around
          .map((place) => places[place ?? ""]?.[key])
          .find((each) => each !== undefined);
        const walked = walk(inner, key in places ? [key] : around) as object;
        return [key, text === undefined ? walked : { description: text, ...walked }];
      }),
    );
  return walk(schema, at) as JsonSchema;
}
