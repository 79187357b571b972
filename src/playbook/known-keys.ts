/** Keys that the specification has and this version does not; delete a line when it does. */
const NOT_YET: Readonly<Record<"header" | "step" | "claude", ReadonlyMap<string, string | null>>> =
  {
    header: new Map(),
    step: new Map(),
    claude: new Map(),
  };

/** `undefined`: supported, or unknown; else what helps meanwhile, `null` when nothing does. */
export function notYet(place: keyof typeof NOT_YET, key: string): string | null | undefined {
  return NOT_YET[place].get(key);
}

/** Whether any place will know the key one day: it is no slip then. */
export function isPlanned(key: string): boolean {
  return Object.values(NOT_YET).some((keys) => keys.has(key));
}

const CLAUDE = 'belongs under `claude`, as in `claude: {prompt: "/x", model: opus}`';
const CLAUDE_STEP =
  'belongs under the `claude` of a step, as in `claude: {prompt: "/x", continue_session: true}`';
const SHELL = 'belongs under `shell`, as in `shell: {run: "cat", stdin: "x"}`';
const OUTPUTS = 'belongs under an output, as in `outputs: {spec: {file_pattern: "specs/*.md"}}`';
const ANALYZE = "belongs under `analyze`";
const FAILURE = "belongs under `on_failure`";
const RETRY = "belongs under `retry`, as in `retry: {attempts: 3, backoff: exponential}`";
const STEP = "belongs in a step, or under `defaults` for all of them";
const ENTRY = "belongs in a step of its own, in the list of steps";
const LIMITS = "belongs under `limits` in the header, as in `limits: {cost_usd: 5}`";
const WORKTREE = "belongs under `worktree` in the header, as in `worktree: {link: [node_modules]}`";
const HEADER = "belongs in the header, beside `steps`";

/** Where each key is at home, for one found elsewhere. A key with several homes has none here. */
const HOMES: ReadonlyMap<string, string> = new Map([
  ...each(["prompt", "model", "max_turns", "permission_mode"], CLAUDE),
  ...each(["allowed_tools", "disallowed_tools", "append_system_prompt", "idle_timeout"], CLAUDE),
  ...each(["output_schema", "continue_session"], CLAUDE_STEP),
  ...each(["run", "stdin"], SHELL),
  ...each(["file_pattern", "capture"], OUTPUTS),
  ...each(["max_cache_age", "force_refresh", "save"], ANALYZE),
  ...each(["max_attempts", "fail_workflow"], FAILURE),
  ["do", "belongs beside `foreach`, or under `on_failure`"],
  ["max_items", "belongs beside `foreach`"],
  ["id", "belongs in a step"],
  ["name", "belongs in a step, or in the header"],
  ...each(["working_dir", "timeout", "on_failure", "on_success", "on_exit_code"], STEP),
  ...each(["condition", "retry"], STEP),
  ...each(["attempts", "backoff", "initial_delay", "max_delay", "jitter", "retry_on"], RETRY),
  ...each(["continue_on_error", "commit_required", "commit_message", "auto_commit"], STEP),
  ...each(["outputs", "capture_output", "analysis", "validation"], STEP),
  ...each(["shell", "analyze", "foreach"], ENTRY),
  ...each(["max_iterations", "description", "defaults", "commit", "steps", "commands"], HEADER),
  ["params", HEADER],
  ...each(["worktree", "merge"], HEADER),
  ...each(["copy", "link"], WORKTREE),
  ["limits", HEADER],
  ...each(["cost_usd", "tokens", "duration"], LIMITS),
  ...each(["gates", "until"], HEADER),
  ["args", "goes with `name`; with `claude`, write arguments into its text"],
  ["options", "goes with `name`; with `claude`, write them into its text"],
]);

/** "belongs under ..." for a known key in a place that does not allow it. */
export function homeOf(key: string, allowed: readonly string[]): string | null {
  const home = allowed.includes(key) ? undefined : HOMES.get(key);
  return home === undefined ? null : `\`${key}\` ${home}`;
}

function each(keys: readonly string[], home: string): readonly (readonly [string, string])[] {
  return keys.map((key) => [key, home] as const);
}
