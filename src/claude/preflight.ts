/** Is there a Claude CLI that fits? Asked before anything is paid for (spec 1.1, 6.1). */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { MmmError } from "../errors.ts";
import { unreachable } from "../lib/unreachable.ts";
import { runTool } from "../process/run-tool.ts";

export interface ClaudeSearch {
  /** `MMM_CLAUDE_BIN`, else the config's `claude.bin`; `null`: `claude` on PATH. */
  readonly bin: string | null;
  /** Of the environment mmm was started in. */
  readonly path: string | undefined;
  readonly home: string | undefined;
  /** Relative paths in `bin` start here. */
  readonly cwd: string;
  /** For `--version`; default 20 s, for a cold disk. */
  readonly timeoutMs?: number;
}

export interface ClaudeProgram {
  /** Absolute: a PATH that a step changes no longer matters (F07). */
  readonly bin: string;
  /** `null`: it prints none, so it is somebody's stand-in. */
  readonly version: string | null;
  readonly notes: readonly string[];
}

/** The oldest version whose event stream and flags are known to fit. */
const OLDEST_MAJOR = 2;
const VERSION_TIMEOUT_MS = 20_000;
const INSTALL = "npm install -g @anthropic-ai/claude-code";
const POINT =
  "or say where it is: MMM_CLAUDE_BIN=/path/to/claude, or claude: {bin: ...} in .mmm/config.yml";

/** @throws MmmError exit 3: `claude-missing`, `claude-broken` or `claude-too-old`. */
export async function findClaude(search: ClaudeSearch): Promise<ClaudeProgram> {
  const bin = await locateClaude(search);
  const { version, note } = await askVersion(bin, search);
  const notes = note === null ? [] : [note];
  if (search.home === undefined || search.home === "")
    notes.push("HOME is not set; claude 2.1.112 and older hang without it");
  return { bin, version, notes };
}

/** Its absolute path; starts nothing. @throws MmmError `claude-missing`, exit 3 */
export async function locateClaude({
  bin,
  path: searchPath,
  home,
  cwd,
}: ClaudeSearch): Promise<string> {
  const wanted = bin === null || bin === "" ? "claude" : bin;
  if (wanted.includes("/")) {
    const expanded =
      wanted.startsWith("~/") && home !== undefined ? path.join(home, wanted.slice(2)) : wanted;
    const full = path.resolve(cwd, expanded);
    const trouble = await whyNotRunnable(full);
    if (trouble === null) return full;
    throw missing(`${full}: ${trouble}`, [`correct MMM_CLAUDE_BIN or claude.bin`, INSTALL]);
  }
  const folders = (searchPath ?? "").split(path.delimiter).filter((folder) => folder !== "");
  for (const folder of folders) {
    const full = path.resolve(cwd, folder, wanted);
    if ((await whyNotRunnable(full)) === null) return full;
  }
  if (folders.length === 0)
    throw missing(
      `PATH is ${searchPath === undefined ? "not set" : "empty"}, so ${wanted} cannot be found`,
      ["set PATH and start again", POINT],
    );
  throw missing(`there is no program ${wanted} on PATH (${searchPath ?? ""})`, [INSTALL, POINT]);
}

async function whyNotRunnable(file: string): Promise<string | null> {
  try {
    if (!(await fs.stat(file)).isFile()) return "not a file";
    await fs.access(file, fs.constants.X_OK);
    return null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "ENOENT" || code === "ENOTDIR" ? "there is no such file" : "it cannot be run";
  }
}

async function askVersion(
  bin: string,
  search: ClaudeSearch,
): Promise<{ readonly version: string | null; readonly note: string | null }> {
  const timeoutMs = search.timeoutMs ?? VERSION_TIMEOUT_MS;
  const report = await runTool(bin, ["--version"], {
    cwd: search.cwd,
    timeoutMs,
    maxBytes: 64 * 1024,
  });
  const { end } = report;
  const stdout = report.stdout.toString("utf8").trim();
  if (end.kind !== "exited" || end.code !== 0) {
    const said = lastLine(report.stderr) ?? lastLine(stdout);
    throw new MmmError("claude-broken", 3, {
      message: `${bin} --version ${describe()}${said === null ? "" : `: ${said}`}`,
      next: [`${bin} --version shows the trouble`, INSTALL, POINT],
    });
  }
  const [version, major] = /(\d+)\.\d+\.\d+/.exec(stdout) ?? [];
  if (version === undefined)
    return { version: null, note: `${bin} prints no version; it is used as it is` };
  if (Number(major) < OLDEST_MAJOR)
    throw new MmmError("claude-too-old", 3, {
      message: `claude ${version} (${bin}) is too old; mmm needs ${OLDEST_MAJOR}.0 or newer`,
      next: [INSTALL, "claude update", POINT],
    });
  return { version, note: null };

  function describe(): string {
    switch (end.kind) {
      case "timed-out":
        return `did not answer within ${timeoutMs / 1000} s`;
      case "not-started":
        return `cannot be started: ${end.reason}`;
      case "signalled":
        return `was ended by ${end.signal}`;
      case "cancelled":
        return "was interrupted";
      case "exited":
        return `exits with ${end.code}`;
      default:
        return unreachable(end);
    }
  }
}

function lastLine(text: string): string | null {
  return text.trim().split("\n").at(-1)?.trim().slice(0, 300) || null;
}

function missing(message: string, next: readonly string[]): MmmError {
  return new MmmError("claude-missing", 3, { message, next });
}
