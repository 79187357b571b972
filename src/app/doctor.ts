/** `mmm doctor`: what mmm needs and finds here, without starting or paying for anything (spec 1). */
import { MmmError } from "../errors.ts";
import { checkIdentity, checkReady } from "../git/ready.ts";
import { canMerge, MERGING_VERSION } from "../git/version.ts";
import { findRepository, type RepositoryStart } from "../git/repository.ts";
import { printable } from "../lib/printable.ts";
import { runGitTool } from "../process/git-tool.ts";
import { claudeSearch, userId } from "./claude-check.ts";
import { readConfig, type Config } from "./config.ts";
import type { Invocation } from "./cook-request.ts";
import { mainRootOf } from "./world.ts";

/** One line of the report. */
export interface Check {
  readonly name: string;
  /** `problem`: `mmm cook` would end with exit 2 or 3. */
  readonly status: "ok" | "warning" | "problem";
  readonly message: string;
  /** The way out, most useful first. */
  readonly next: readonly string[];
}

/** @returns exit code 0, or 3 when there is a problem. */
export async function doctor(
  request: { readonly json: boolean },
  invocation: Invocation,
): Promise<number> {
  const checks = await examine(invocation);
  const isFit = checks.every(({ status }) => status !== "problem");
  const { stdout } = invocation;
  if (request.json) stdout.write(`${JSON.stringify({ v: 1, ok: isFit, checks })}\n`);
  else stdout.write(printable(reportOf(checks)));
  return isFit ? 0 : 3;
}

async function examine(invocation: Invocation): Promise<readonly Check[]> {
  const { cwd, env } = invocation;
  const start = await attempt("repository", () => findRepository(cwd, env));
  const config = await attempt("config", () =>
    readConfig(invocation, start.value === null ? cwd : mainRootOf(start.value)),
  );
  return [
    nodeCheck(),
    await gitCheck(cwd),
    start.check ?? ok("repository", placeOf(start.value)),
    ...(start.value === null ? [] : await repositoryChecks(start.value)),
    config.check ?? ok("config", "every key is known"),
    ...(config.value === null ? [] : await claudeChecks(config.value, invocation)),
    ...(await commandChecks(start.value?.root ?? cwd, invocation)),
  ];
}

function placeOf(start: RepositoryStart | null): string {
  if (start === null) return "";
  return `${start.root}, ${start.branch === null ? "no branch (detached HEAD)" : `branch ${start.branch}`}`;
}

const OLDEST_NODE = [20, 19] as const;

function nodeCheck(): Check {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const fits = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (fits) return ok("node", node);
  const message = `node ${node} is too old; mmm needs ${OLDEST_NODE.join(".")} or newer`;
  return { name: "node", status: "problem", message, next: ["install a newer Node.js"] };
}

async function gitCheck(cwd: string): Promise<Check> {
  const { end, stdout } = await runGitTool(["--version"], { cwd });
  if (end.kind === "exited" && end.code === 0) {
    const version = stdout.toString("utf8").replace("git version ", "").trim();
    if (canMerge(version)) return ok("git", version);
    const message = `${version} is older than ${MERGING_VERSION}: no --parallel, and worktrees have to be merged by hand`;
    const newer = [`install git ${MERGING_VERSION} or newer and see that it comes first on PATH`];
    return { name: "git", status: "warning", message, next: newer };
  }
  const next = ["install git and see that it is on PATH"];
  return { name: "git", status: "problem", message: "git cannot be started", next };
}

/** Long enough for a git that works right now. */
const INDEX_LOCK_MS = 1000;

async function repositoryChecks(start: RepositoryStart): Promise<readonly Check[]> {
  const identity = await attempt("identity", () => checkIdentity(start));
  const tree = await attempt("tree", () =>
    checkReady(start, { allowDirty: false, ownFiles: [], lockWaitMs: INDEX_LOCK_MS }),
  );
  return [
    identity.check ?? ok("identity", "git knows who makes the commits"),
    // What is not committed yet is no fault of the surroundings.
    tree.check === null
      ? ok("tree", "clean")
      : { ...tree.check, status: tree.code === "dirty-tree" ? "warning" : "problem" },
  ];
}

async function claudeChecks(config: Config, invocation: Invocation): Promise<readonly Check[]> {
  const { findClaude } = await import("../claude/preflight.ts");
  const found = await attempt("claude", () =>
    findClaude(claudeSearch(invocation, config.claudeBin)),
  );
  if (found.value === null) return found.check === null ? [] : [found.check];
  const { bin, version, notes } = found.value;
  const program = ok("claude", version === null ? bin : `${version} (${bin})`);
  return [
    notes.length === 0
      ? program
      : { ...program, status: "warning", message: [program.message, ...notes].join("; ") },
    ...(version === null ? [] : await realClaudeChecks(config, invocation)),
  ];
}

/** A stand-in has no rule about root, and no login. */
async function realClaudeChecks(config: Config, { env }: Invocation): Promise<readonly Check[]> {
  const { refuseRoot } = await import("../claude/command-line.ts");
  const { findLogin } = await import("../claude/login.ts");
  const permissions = await attempt("permissions", async () =>
    Promise.resolve(refuseRoot(config.claude, { uid: userId(), sandbox: env["IS_SANDBOX"] })),
  );
  const login = await findLogin(env);
  return [
    permissions.check ?? ok("permissions", permissionWords(config)),
    login === null
      ? {
          name: "login",
          status: "warning",
          message: "no login of claude is seen; a keychain may still hold one",
          next: ["run claude once and /login, or set ANTHROPIC_API_KEY"],
        }
      : ok("login", login),
  ];
}

function permissionWords({ claude, strictPermissions }: Config): string {
  const { permissionMode, allowedTools } = claude;
  const words = [
    ...(permissionMode === undefined ? [] : [`permission_mode ${permissionMode}`]),
    ...(allowedTools === undefined ? [] : [`allowed_tools ${allowedTools.join(", ")}`]),
    ...(strictPermissions ? ["strict"] : []),
  ];
  return words.length === 0
    ? "every tool is allowed, unless a playbook says less"
    : words.join("; ");
}

async function commandChecks(root: string, invocation: Invocation): Promise<readonly Check[]> {
  const { cwd, env, packageRoot } = invocation;
  const { listCommandFiles } = await import("../claude/command-files.ts");
  const { resolveCommands } = await import("../claude/commands.ts");
  const { shippedCommands } = await import("./shipped-commands.ts");
  const shipped = await attempt("commands", () => shippedCommands(packageRoot));
  if (shipped.value === null) return shipped.check === null ? [] : [shipped.check];
  const config = env["CLAUDE_CONFIG_DIR"];
  const places = {
    cwd,
    root,
    home: env["HOME"] ?? "/nonexistent",
    ...(config === undefined ? {} : { configDirectory: config }),
  };
  const files = await listCommandFiles(places);
  const names = new Set(files.map(({ name }) => name));
  const rules = new Map([...shipped.value].map(([name, each]) => [name, each.rules] as const));
  const { warnings } = await resolveCommands(names, { ...places, shipped: rules });
  const missing = [...shipped.value.keys()].filter((name) => !names.has(name));
  const installed = shipped.value.size - missing.length;
  const count = `${names.size} found, ${installed} of the ${shipped.value.size} that mmm ships`;
  return [
    missing.length === 0
      ? ok("commands", count)
      : { name: "commands", status: "warning", message: count, next: ["mmm init"] },
    ...warnings.map((message): Check => ({
      name: "commands",
      status: "warning",
      message,
      next: [whatHelps(message)],
    })),
  ];
}

function whatHelps(warning: string): string {
  return warning.includes(" shadows ")
    ? "rename or remove one of the two files"
    : "correct the `mmm:` block of its frontmatter (docs/claude.md)";
}

function ok(name: string, message: string): Check {
  return { name, status: "ok", message, next: [] };
}

/** Expected trouble becomes a line; anything else is a bug. */
async function attempt<T>(
  name: string,
  ask: () => Promise<T>,
): Promise<{
  readonly value: T | null;
  readonly check: Check | null;
  readonly code: string | null;
}> {
  try {
    return { value: await ask(), check: null, code: null };
  } catch (error) {
    if (!(error instanceof MmmError)) throw error;
    const { message, next, code } = error;
    return { value: null, check: { name, status: "problem", message, next }, code };
  }
}

function reportOf(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ name, status, message, next }) => [
    `${status.padEnd(8)} ${name.padEnd(12)} ${message.replaceAll("\n", `\n${" ".repeat(22)}`)}`,
    ...next.map((line, index) => `${" ".repeat(22)}${index === 0 ? "next: " : "      "}${line}`),
  ]);
  const count = (wanted: Check["status"]): number =>
    checks.filter(({ status }) => status === wanted).length;
  const sums = [
    [count("problem"), "problem"],
    [count("warning"), "warning"],
  ] as const;
  const told = sums.flatMap(([n, word]) => (n === 0 ? [] : `${n} ${word}${n === 1 ? "" : "s"}`));
  return `${[...lines, "", told.length === 0 ? "mmm can work here" : told.join(", ")].join("\n")}\n`;
}
