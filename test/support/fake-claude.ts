/**
 * A Claude CLI that does what a test says: a real executable, so that argv, standard input, environment,
 * signals and process trees are real.
 *
 *     const claude = await fakeClaude({
 *       calls: [
 *         { prompt: "/mmm-code-review", writes: { "specs/a.md": "x" }, commit: "review", text: "found one" },
 *         { do: [{ init: {} }, { touch: started }, { waitFor: release }, { result: {} }] },
 *       ],
 *     });
 *     ... MMM_CLAUDE_BIN=claude.bin, or claude.directory in front of PATH (the link is called `claude`)
 *     (await claude.calls())[0]?.argv
 *     await claude.dispose();
 *
 * Each start takes the first call that is not used up and whose `prompt` (if given) is part of the prompt;
 * when none is left it says so on stderr and exits 97. It reads standard input to its end before anything
 * else, as the real one may: an input left open hangs it. `--version` is answered without taking a call.
 */
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

export interface FakeScenario {
  /** What `--version` prints; default `2.1.112 (Claude Code)`. */
  readonly version?: string;
  /** Default `claude-fake-1`. */
  readonly model?: string;
  /** For the `init` event; default empty, which says nothing about commands. */
  readonly slashCommands?: readonly string[];
  readonly calls?: readonly FakeCall[];
}

/** `do` spells everything out; without it: init, `writes`, `commit`, `text` as answer and result. */
export interface FakeCall {
  /** Taken only by a prompt that contains this. */
  readonly prompt?: string;
  /** Default 1. */
  readonly times?: number | "always";
  /** Path relative to the working directory to content; `null` removes the file. */
  readonly writes?: Readonly<Record<string, string | null>>;
  /** Commits everything with this message. */
  readonly commit?: string;
  /** Default `done`. */
  readonly text?: string;
  /** Of the result event, in dollars; default 0.01; `null`: unknown. */
  readonly cost?: number | null;
  /** Exit code; default 0. */
  readonly exit?: number;
  /** Stays alive after its last act, as some versions do after their result. */
  readonly linger?: boolean;
  readonly do?: readonly FakeAct[];
}

type FakeAct =
  /** A line of the event stream, as it is. */
  | { readonly event: unknown }
  /** The first event; what is given wins over the usual fields. */
  | { readonly init: Readonly<Record<string, unknown>> }
  | { readonly say: string }
  | { readonly tool: string; readonly input?: unknown }
  /** The last event: success unless the fields given say otherwise. */
  | { readonly result: Readonly<Record<string, unknown>> }
  /** Bytes on standard output, no newline added. */
  | { readonly raw: string; readonly encoding?: "utf8" | "base64" }
  | { readonly stderr: string }
  | { readonly write: string; readonly content?: string; readonly mode?: number }
  | { readonly remove: string }
  /** Adds everything and commits it. */
  | { readonly commit: string }
  /** Makes an empty file: tells the test that this place was reached. */
  | { readonly touch: string }
  /** Waits until the file is there. */
  | { readonly waitFor: string }
  | { readonly ignore: readonly NodeJS.Signals[] }
  /** A child that is not waited for; `session`: in a session of its own; `stdio: "inherit"` keeps the pipes open. */
  | {
      readonly spawn: readonly [program: string, ...args: string[]];
      readonly session?: boolean;
      readonly stdio?: "ignore" | "inherit";
      readonly pidFile?: string;
    }
  /** Runs to its end; its failure exits 98. */
  | { readonly run: readonly [program: string, ...args: string[]] }
  | { readonly exit: number }
  | { readonly kill: NodeJS.Signals };

/** How it was called. */
interface FakeCallRecord {
  readonly argv: readonly string[];
  /** What stands after `--`, else standard input. */
  readonly prompt: string;
  readonly stdin: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  /** Index into the scenario's calls; `null`: none was left. */
  readonly call: number | null;
}

export interface FakeClaude {
  /** Absolute path; needs nothing in the environment but `node` on PATH. */
  readonly bin: string;
  /** Holds the link `claude`, for PATH. */
  readonly directory: string;
  /** Calls so far, oldest first. */
  calls(): Promise<readonly FakeCallRecord[]>;
  dispose(): Promise<void>;
}

const program = fileURLToPath(new URL("fake-claude/fake-claude.mjs", import.meta.url));

/** Puts the scenario and a link to the program into a folder of their own. */
export async function fakeClaude(scenario: FakeScenario): Promise<FakeClaude> {
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), "mmm-fake-claude-"));
  await fs.writeFile(path.join(directory, "scenario.json"), JSON.stringify(scenario));
  const bin = path.join(directory, "claude");
  await fs.symlink(program, bin);

  return {
    bin,
    directory,
    calls: async () => {
      const text = await fs.readFile(path.join(directory, "calls.jsonl"), "utf8").catch(() => "");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as FakeCallRecord);
    },
    dispose: () => fs.rm(directory, { recursive: true, force: true }),
  };
}
