/** What several inputs at once have left in git and on disk, and who of them is still alive. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { FakeCall } from "../support/fake-claude.ts";
import type { Kitchen } from "../support/kitchen.ts";
import type { TempRepo } from "../support/temp-repo.ts";

export interface Left {
  /** Short names, sorted. */
  readonly branches: readonly string[];
  /** Folders that git lists, without the main one. */
  readonly listed: readonly string[];
  /** Names in `.git/worktrees`. */
  readonly records: readonly string[];
  /** Names in `~/.mmm/worktrees/PROJECT`. */
  readonly folders: readonly string[];
}

export async function left(repo: TempRepo): Promise<Left> {
  const lines = async (...words: readonly string[]): Promise<readonly string[]> =>
    (await repo.git(...words)).split("\n").filter((line) => line !== "");
  const folder = path.join(repo.home, ".mmm", "worktrees", path.basename(repo.root));
  const listed = (await lines("worktree", "list", "--porcelain"))
    .filter((line) => line.startsWith("worktree "))
    .map((line) => line.slice("worktree ".length))
    .filter((place) => place !== repo.root);
  return {
    branches: (await lines("for-each-ref", "--format=%(refname:short)", "refs/heads")).toSorted(),
    listed: listed.map((place) => path.basename(place)).toSorted(),
    records: namesIn(path.join(repo.root, ".git", "worktrees")),
    folders: namesIn(folder).filter((name) => !name.startsWith(".")),
  };
}

/** Those of `commits` that no branch, no worktree and nothing that mmm keeps has. */
export async function lost(repo: TempRepo, commits: readonly string[]): Promise<readonly string[]> {
  if (commits.length === 0) return [];
  const heads = (await repo.git("worktree", "list", "--porcelain"))
    .split("\n")
    .flatMap((line) => (line.startsWith("HEAD ") ? [line.slice(5)] : []));
  const kept = ["--branches", "--glob=refs/mmm/failed/*", ...heads];
  const missing = new Set((await repo.git("rev-list", ...commits, "--not", ...kept)).split("\n"));
  return commits.filter((sha) => missing.has(sha));
}

/** The main checkout: where it stands, its index, each file with its content. */
export async function checkout(repo: TempRepo): Promise<string> {
  const head = await repo.git("rev-parse", "HEAD");
  const branch = await repo.git("symbolic-ref", "HEAD");
  const index = await repo.git("ls-files", "--stage");
  const files: string[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder).toSorted()) {
      const place = path.join(folder, name);
      if (folder === repo.root && [".git", ".mmm"].includes(name)) continue;
      if (statSync(place).isDirectory()) walk(place);
      else files.push(`${path.relative(repo.root, place)}: ${readFileSync(place, "utf8")}`);
    }
  };
  walk(repo.root);
  return [head, branch, index, ...files].join("\n");
}

/** Processes that were started for this repository. */
function living({ home }: TempRepo): readonly { readonly pid: number; readonly line: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, "utf8").split("\0");
        if (!environment.includes(`HOME=${home}`)) return [];
        const line = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return line === "" ? [] : [{ pid: Number(name), line }];
      } catch {
        return []; // It ended while it was looked at, or is somebody else's.
      }
    });
}

/** Their command lines. */
export function alive(repo: TempRepo): readonly string[] {
  return living(repo).map(({ line }) => line);
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}

/** Runs of Claude at a dollar each, of which none ends before so many have begun, each with its share of the money. */
export function together(count: number) {
  const folder = mkdtempSync(path.join(tmpdir(), "mmm-go-"));
  const go = path.join(folder, "go");
  const act: NonNullable<FakeCall["do"]> = [
    { init: {} },
    { write: "x.txt", content: "x\n" },
    { waitFor: go },
    { result: {} },
  ];
  return {
    call: { times: "always", cost: 1, do: act } satisfies FakeCall,
    letGo: async (kitchen: Kitchen): Promise<void> => {
      while ((await kitchen.prompts()).length < count)
        await new Promise((done) => setTimeout(done, 20));
      writeFileSync(go, "");
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
