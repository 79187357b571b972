/**
 * Looks slash commands up before anything is paid for (spec 6.3).
 *
 * Built-in commands of the CLI count as known. Those that run locally call no model; the success rule
 * (6.2) finds that out for the price of nothing.
 */
import { distance } from "fastest-levenshtein";
import { nearest as nearestWord } from "../lib/nearest.ts";
import type { CommandRules } from "../playbook/plan-model.ts";
import {
  listCommandFiles,
  readRulesOf,
  type CommandFile,
  type CommandPlaces,
} from "./command-files.ts";

interface FoundCommand {
  /** `null`: built into the CLI. */
  readonly path: string | null;
  /** Of the installed file, else of the one mmm ships under this name; `null`: neither says anything. */
  readonly rules: CommandRules | null;
  /** What is wrong with the file's `mmm:` block; in the warnings as well. */
  readonly mistakes: readonly string[];
}

interface CommandProblem {
  readonly name: string;
  /** `unknown-mmm` and `near` stop the run (exit 2), `unknown` is a warning. */
  readonly kind: "unknown-mmm" | "near" | "unknown";
  /** The known name that is most like it; for a shipped one that is not installed the name itself. */
  readonly nearest: string | null;
  /** What is, then what to do. */
  readonly message: string;
  readonly next: readonly string[];
}

export interface ResolvedCommands {
  readonly found: ReadonlyMap<string, FoundCommand>;
  readonly problems: readonly CommandProblem[];
  /** Shadowed files, wrong `mmm:` blocks; whole sentences with the file's path. */
  readonly warnings: readonly string[];
}

export interface CommandSearch extends CommandPlaces {
  /** What mmm ships: name to the rules of its own file. */
  readonly shipped: ReadonlyMap<string, CommandRules | null>;
}

/** @param names without slash, as `commandName` of the plan gives them. */
export async function resolveCommands(
  names: Iterable<string>,
  search: CommandSearch,
): Promise<ResolvedCommands> {
  const wanted = new Set(names);
  if (wanted.size === 0) return { found: new Map(), problems: [], warnings: [] };
  const files = byName(await listCommandFiles(search));
  const found = new Map<string, FoundCommand>();
  const problems: CommandProblem[] = [];
  const warnings: string[] = [];
  for (const name of wanted) {
    const [winner, ...losers] = files.get(name) ?? [];
    if (winner !== undefined) {
      const read = await readRulesOf(winner);
      const mistakes = read.problems.map((problem) => `${winner.path}: ${problem}`);
      found.set(name, {
        path: winner.path,
        mistakes,
        rules: read.rules ?? search.shipped.get(name) ?? null,
      });
      warnings.push(...mistakes);
      warnings.push(...shadows(winner, losers));
    } else if (BUILT_IN.has(name)) {
      found.set(name, { path: null, rules: null, mistakes: [] });
    } else {
      problems.push(problemOf(name, [...files.keys()], search.shipped));
    }
  }
  return { found, problems, warnings };
}

function byName(files: readonly CommandFile[]): ReadonlyMap<string, CommandFile[]> {
  const groups = new Map<string, CommandFile[]>();
  for (const file of files) {
    const group = groups.get(file.name);
    if (group === undefined) groups.set(file.name, [file]);
    else group.push(file);
  }
  return groups;
}

/** Only what surprises: the file in the project is not the one that runs. */
function shadows(winner: CommandFile, losers: readonly CommandFile[]): string[] {
  const loser = losers.find((file) => file.scope === "project");
  if (loser === undefined || (winner.scope === "project" && winner.kind === loser.kind)) return [];
  return [`/${winner.name}: ${winner.path} shadows ${loser.path}`];
}

function problemOf(
  name: string,
  installed: readonly string[],
  shipped: CommandSearch["shipped"],
): CommandProblem {
  if (shipped.has(name))
    return {
      name,
      kind: "unknown-mmm",
      nearest: name,
      message: `/${name} is not installed here`,
      next: ["mmm init installs it"],
    };
  const nearest = nearestName(name, [...installed, ...shipped.keys()]);
  const isMmm = name.startsWith("mmm-");
  const near = nearest !== null && isNear(name, nearest);
  const file = `.claude/commands/${name.replaceAll(":", "/")}.md`;
  const isLike = nearest !== null && (near || (isMmm && isLikeMmm(name, nearest)));
  const like = isLike ? [`did you mean /${nearest}?`] : [];
  const init =
    isMmm || (nearest !== null && near && !installed.includes(nearest))
      ? ["mmm init installs the mmm-* commands"]
      : [];
  return {
    name,
    kind: isMmm ? "unknown-mmm" : near ? "near" : "unknown",
    nearest,
    message: `there is no command /${name}`,
    next: [...like, ...init, `a command of your own is ${file}`],
  };
}

/** Without what all of mmm's own have in common: `/mmm-foo` is no `/mmm-lint`. */
function isLikeMmm(name: string, known: string): boolean {
  const own = (each: string): string => each.replace(/^mmm-/, "");
  return nearestWord(own(name), [own(known)]) !== null;
}

/** Within two letters (spec 6.3), but not more than half of the name: `/pr` is not `/qa` mistyped. */
function isNear(name: string, known: string): boolean {
  const letters = distance(name, known);
  return letters <= 2 && letters * 2 <= name.length;
}

function nearestName(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const candidate of known) {
    // A name may be as long as a prompt: no comparison that cannot win.
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const letters = distance(name, candidate);
    if (letters >= least) continue;
    least = letters;
    best = candidate;
  }
  return best;
}

/** Of 2.1.112 and 2.1.329. They are no suggestions: `/lint` is not `/init` mistyped. */
const BUILT_IN: ReadonlySet<string> = new Set(
  [
    "add-dir agents branch btw clear color commit commit-push-pr compact config context copy cost debug",
    "desktop diff doctor effort exit export extra-usage fast feedback files fork heapdump help hooks ide init",
    "insights install install-github-app install-slack-app keybindings login logout loop mcp memory mobile",
    "model output-style passes permissions plan plugin pr-comments privacy-settings quit recap release-notes",
    "reload-plugins remote-control remote-env rename resume review rewind sandbox schedule security-review",
    "session simplify skills stats status statusline tasks team-onboarding terminal-setup theme todos tui",
    "ultraplan ultrareview update-config upgrade usage version vim voice batch claude-api",
  ]
    .join(" ")
    .split(" "),
);
