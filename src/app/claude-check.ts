/** Everything about Claude that can be known before anything is paid for (spec 6.1, 6.3; order: spec 1.1). */
import type { ResolvedCommands } from "../claude/commands.ts";
import type { ClaudeSearch } from "../claude/preflight.ts";
import type { ClaudePort } from "../engine/ports.ts";
import type { Redactor } from "../lib/redact.ts";
import { undeclaredOutputs } from "../playbook/command-outputs.ts";
import type { Diagnostic } from "../playbook/diagnostic.ts";
import type { Playbook } from "../playbook/model.ts";
import { commandsOf, everyPlannedStep } from "../playbook/plan-steps.ts";
import { missingSpecs } from "../playbook/spec-source.ts";
import type { CommandRules, Plan, PlannedStep } from "../playbook/plan-model.ts";
import { positionAt, sourceFile } from "../playbook/source.ts";
import type { Children } from "../process/children.ts";
import type { Reserve } from "../process/reserve.ts";
import type { Invocation } from "./cook-request.ts";

export interface CommandLookup {
  readonly rules: ReadonlyMap<string, CommandRules>;
  /** What stops a run. */
  readonly diagnostics: readonly Diagnostic[];
  /** Commands that Claude may know and mmm does not; in `warnings` as well. */
  readonly unknown: readonly Diagnostic[];
  /** Wrong `mmm:` blocks of command files, at the place of the first call, and what they say is missing; in `warnings` as well. */
  readonly mistakes: readonly Diagnostic[];
  /** Whole lines, with the place when it is one of the playbook. */
  readonly warnings: readonly string[];
  readonly isResolved: (name: string) => boolean;
}

const NOTHING_CALLED: CommandLookup = {
  rules: new Map(),
  diagnostics: [],
  unknown: [],
  mistakes: [],
  warnings: [],
  isResolved: () => false,
};

/**
 * Looks the playbook's slash commands up in the tree where they will run. An unknown one is an error
 * at its place; with a recording nobody reads the files, so it is none.
 */
export async function lookUpCommands(
  playbook: Playbook,
  where: { readonly cwd: string; readonly root: string; readonly replay: boolean },
  invocation: Invocation,
): Promise<CommandLookup> {
  const wanted = commandsOf(playbook);
  if (wanted.length === 0) return NOTHING_CALLED;
  const { resolveCommands } = await import("../claude/commands.ts");
  const { shippedRules } = await import("./shipped-commands.ts");
  const config = invocation.env["CLAUDE_CONFIG_DIR"];
  const names = new Set(wanted.map(({ name }) => name));
  const shipped = await shippedRules(invocation.packageRoot, names);
  const resolved = await resolveCommands(names, {
    cwd: where.cwd,
    root: where.root,
    home: invocation.env["HOME"] ?? "/nonexistent",
    ...(config === undefined ? {} : { configDirectory: config }),
    shipped,
  });
  const rules = new Map<string, CommandRules>();
  for (const { name } of wanted) {
    const found = resolved.found.get(name)?.rules ?? shipped.get(name);
    if (found !== undefined && found !== null) rules.set(name, found);
  }
  const problems = where.replay ? [] : resolved.problems;
  const told = problems.map(({ name, kind, message, next }): Diagnostic => {
    const call = wanted.find((each) => each.name === name);
    const severity = kind === "unknown" ? "warning" : "error";
    const help = kind === "unknown" && call?.bare ? meantBy(call.bare) : next.join("; ");
    const range = call?.range ?? { start: 0, end: 0 };
    return { code: "unknown-command", severity, message, range, ...(help !== "" && { help }) };
  });
  const unknown = told.filter(({ severity }) => severity === "warning");
  const unwritten = missingSpecs(playbook, rules);
  const missing = new Set(problems.flatMap(({ name, kind }) => (kind === "unknown" ? [] : name)));
  return {
    rules,
    diagnostics: [
      ...told.filter(({ severity }) => severity === "error"),
      // Of a command that is not there this is told already.
      ...undeclaredOutputs(playbook, rules, (name) => !missing.has(name) || rules.has(name)),
    ],
    unknown,
    mistakes: [...wanted.flatMap((call) => mistakesIn(resolved, call)), ...unwritten],
    warnings: [
      ...resolved.warnings,
      ...[...unknown, ...unwritten].map((each) => asLine(playbook, each)),
    ],
    isResolved: (name) => resolved.found.has(name),
  };
}

function mistakesIn(
  { found }: ResolvedCommands,
  { name, range }: { readonly name: string; readonly range: Diagnostic["range"] },
): readonly Diagnostic[] {
  const help = "correct the `mmm:` block of its frontmatter";
  return (found.get(name)?.mistakes ?? []).map((message) => ({
    code: "command-block",
    severity: "warning",
    message,
    range,
    help,
  }));
}

/** A text alone calls a command; who writes a sentence or a shell command there means another kind of step. */
function meantBy(bare: string): string {
  const line = bare.split("\n", 1)[0]?.slice(0, 60) ?? "";
  const kind = /^[A-Z][a-z]* /.test(line) ? "claude" : "shell";
  return `a text alone is a Claude command; did you mean \`${kind}: ${line}\`?`;
}

function asLine({ file, text }: Playbook, { message, range, help }: Diagnostic): string {
  const { line, column } = positionAt(sourceFile(file, text), range.start);
  return `${file}:${line}:${column} ${message}${help === undefined ? "" : `; ${help}`}`;
}

/** The port that calls the real CLI, after the checks that end in exit 3. */
export async function openClaude(
  steps: readonly PlannedStep[],
  setup: {
    readonly invocation: Invocation;
    readonly children: Children;
    readonly lookup: Pick<CommandLookup, "isResolved">;
    readonly identity: Promise<void>;
    readonly bin: string | null;
    readonly strictPermissions: boolean;
    readonly redactor: Redactor;
    readonly reserve: Reserve;
  },
): Promise<{ readonly port: ClaudePort; readonly notes: readonly string[] }> {
  const { env } = setup.invocation;
  const { findClaude } = await import("../claude/preflight.ts");
  const { refuseRoot } = await import("../claude/command-line.ts");
  const { createClaudePort } = await import("../claude/runner.ts");
  const program = await findClaude(claudeSearch(setup.invocation, setup.bin));
  await setup.identity;
  // A stand-in that prints no version is no Claude CLI, and has no rule about root.
  const uid = program.version === null ? null : userId();
  const who = { uid, sandbox: env["IS_SANDBOX"] };
  for (const step of everyPlannedStep(steps))
    if (step.kind === "claude") refuseRoot(step.options, who);
  const port = createClaudePort({
    children: setup.children,
    bin: program.bin,
    uid: who.uid,
    sandbox: who.sandbox,
    strictPermissions: setup.strictPermissions,
    variables: Object.keys(env),
    isResolved: setup.lookup.isResolved,
    redactor: setup.redactor,
    reserve: setup.reserve,
  });
  return { port, notes: program.notes };
}

/** @param bin of the config. */
export function claudeSearch({ env, cwd }: Invocation, bin: string | null): ClaudeSearch {
  return {
    // Set to nothing it says nothing, as with the shell's own variables.
    bin: env["MMM_CLAUDE_BIN"] === "" ? bin : (env["MMM_CLAUDE_BIN"] ?? bin),
    path: env["PATH"],
    home: env["HOME"],
    cwd,
  };
}

/** Does anything in the plan, handlers included, call Claude? */
export function callsClaude(plan: Plan): boolean {
  for (const step of everyPlannedStep(plan.steps)) if (step.kind === "claude") return true;
  return false;
}

/** `null` where there are no user ids. */
export function userId(): number | null {
  return process.getuid?.() ?? null;
}
