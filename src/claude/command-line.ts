/** How the Claude CLI is called (spec 6.1). Pure. */
import { MmmError } from "../errors.ts";
import type { ClaudeOptions } from "../playbook/model.ts";

/**
 * Longer prompts travel through standard input: Linux refuses one argument over 131 071 bytes
 * (MAX_ARG_STRLEN), and the rest of the line wants room too.
 */
const MAX_ARGUMENT_BYTES = 100_000;

/** `stdin` is `null` when the prompt is the last argument: the input is then empty and closed. */
export interface ClaudeCommandLine {
  readonly args: readonly string[];
  readonly stdin: string | null;
}

/** What belongs to one call. */
export interface CallOptions {
  /** The earlier conversation to go on with. */
  readonly resume?: string | null;
  /** US dollars, more than 0. */
  readonly maxBudgetUsd?: number | null;
  /** A JSON Schema as text. */
  readonly schema?: string | null;
}

/** Values stand behind `=`: `--allowedTools X` would swallow what follows, and a value may begin with `-`. */
export function claudeCommandLine(
  prompt: string,
  options: ClaudeOptions,
  call: CallOptions = {},
): ClaudeCommandLine {
  const args = ["--print", "--output-format", "stream-json", "--verbose", ...permissions(options)];
  for (const tool of options.disallowedTools ?? []) args.push(`--disallowedTools=${tool}`);
  if (options.model !== undefined) args.push(`--model=${options.model}`);
  if (options.maxTurns !== undefined) args.push(`--max-turns=${options.maxTurns}`);
  if (options.appendSystemPrompt !== undefined)
    args.push(`--append-system-prompt=${options.appendSystemPrompt}`);
  const { resume = null, maxBudgetUsd = null, schema = null } = call;
  if (schema !== null) args.push(`--json-schema=${schema}`);
  if (resume !== null) args.push(`--resume=${resume}`);
  if (maxBudgetUsd !== null) args.push(`--max-budget-usd=${budget(maxBudgetUsd)}`);

  if (Buffer.byteLength(prompt) > MAX_ARGUMENT_BYTES) return { args, stdin: prompt };
  return { args: [...args, "--", prompt], stdin: null };
}

/** Never 0, which the CLI refuses, and never `1e-7`: too little to answer with ends after one response all the same. */
function budget(usd: number): string {
  return Math.max(usd, 0.000_001)
    .toFixed(6)
    .replace(/\.?0+$/, "");
}

/** Do these options use the flag that the CLI refuses to root? */
function skipsPermissions(options: ClaudeOptions): boolean {
  return options.permissionMode === undefined && options.allowedTools === undefined;
}

/**
 * The CLI refuses `--dangerously-skip-permissions` and `bypassPermissions` to root unless `IS_SANDBOX=1`
 * says that it is in a container. mmm never says so by itself.
 *
 * @param who `uid`: `null` where there are none (Windows); `sandbox`: value of `IS_SANDBOX`.
 * @throws MmmError `claude-root`, exit 3
 */
export function refuseRoot(
  options: ClaudeOptions,
  who: { readonly uid: number | null; readonly sandbox: string | undefined },
): void {
  if (who.uid !== 0 || who.sandbox === "1") return;
  const bypass = options.permissionMode === "bypassPermissions";
  if (!bypass && !skipsPermissions(options)) return;
  throw new MmmError("claude-root", 3, {
    message: `claude refuses ${bypass ? "permission_mode bypassPermissions" : "--dangerously-skip-permissions"} to root (uid 0)`,
    next: [
      "run mmm as another user",
      "or set permission_mode: acceptEdits and allowed_tools: [Bash] in the step, the playbook or .mmm/config.yml",
      "or, in a container that may be thrown away: IS_SANDBOX=1 mmm ...",
    ],
  });
}

function permissions(options: ClaudeOptions): string[] {
  if (skipsPermissions(options)) return ["--dangerously-skip-permissions"];
  const mode =
    options.permissionMode === undefined ? [] : [`--permission-mode=${options.permissionMode}`];
  return [...mode, ...(options.allowedTools ?? []).map((tool) => `--allowedTools=${tool}`)];
}
