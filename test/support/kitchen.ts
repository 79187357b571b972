/** A repository, a Claude that does what the test says, and `mmm` as its user starts it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Event } from "../../src/engine/events.ts";
import { type FakeClaude, fakeClaude, type FakeCall } from "./fake-claude.ts";
import { type CliOptions, type CliResult, runCli } from "./run-cli.ts";
import { makeRepo, type TempRepo } from "./temp-repo.ts";

export interface Kitchen {
  readonly repo: TempRepo;
  readonly claude: FakeClaude;
  /** Writes `pb.yml` (never committed, never dirt) and cooks it. */
  readonly cook: (
    playbook: string,
    args?: readonly string[],
    more?: Partial<CliOptions>,
  ) => Promise<CliResult>;
  /** `mmm ...` in the repository. */
  readonly mmm: (args: readonly string[], more?: Partial<CliOptions>) => Promise<CliResult>;
  /** The newest session's folder. */
  readonly session: () => string;
  /** The newest session's journal. */
  readonly events: () => readonly Event[];
  /** Subjects from the first commit to HEAD. */
  readonly history: () => Promise<readonly string[]>;
  /** What Claude was asked, in order. */
  readonly prompts: () => Promise<readonly string[]>;
  readonly dispose: () => Promise<void>;
}

/** @param calls of Claude; without any it answers `done` to everything. */
export async function openKitchen(
  calls: readonly FakeCall[] = [{ times: "always" }],
  files?: Readonly<Record<string, string>>,
): Promise<Kitchen> {
  const repo = await makeRepo(files);
  const claude = await fakeClaude({ calls });
  const mmm: Kitchen["mmm"] = async (args, more = {}) =>
    runCli(args, {
      cwd: repo.root,
      ...more,
      // IS_SANDBOX: tests may run as root, where the CLI wants to hear that it is safe.
      env: { ...repo.env, MMM_CLAUDE_BIN: claude.bin, IS_SANDBOX: "1", ...more.env },
    });
  const session = (): string => {
    const folder = path.join(repo.root, ".mmm", "sessions");
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const [newest] = names
      .map((name) => path.join(folder, name))
      .toSorted((a, b) => startOf(b).localeCompare(startOf(a)));
    if (newest === undefined) throw new Error("no session was started");
    return newest;
  };
  return {
    repo,
    claude,
    mmm,
    session,
    cook: async (playbook, args = [], more = {}) => {
      await repo.write("pb.yml", playbook);
      return mmm(["cook", "pb.yml", ...args], more);
    },
    events: () =>
      journalLines(session())
        .map((line) => JSON.parse(line) as Event & { readonly time: string })
        // The request and the answers of the world are no events.
        .filter(({ type }) => !["request", "answer"].includes(type)),
    history: async () => (await repo.git("log", "--format=%s", "--reverse")).split("\n"),
    prompts: async () => (await claude.calls()).map(({ prompt }) => prompt),
    dispose: async () => {
      await repo.dispose();
      await claude.dispose();
    },
  };
}

function journalLines(folder: string): readonly string[] {
  const file = path.join(folder, "journal.jsonl");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

/** Time of the first event; two sessions of one second differ in it. */
function startOf(folder: string): string {
  const [first] = journalLines(folder);
  return first === undefined ? "" : (JSON.parse(first) as { time: string }).time;
}
