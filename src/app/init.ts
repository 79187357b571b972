/** `mmm init`: puts the shipped Claude commands, and what belongs to them, into a repository (spec 9.1). */
import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { gitRecords, trackableFiles } from "../context/git-facts.ts";
import { projectFacts } from "../context/project.ts";
import { renderProjectPage } from "../context/project-page.ts";
import { shellWord } from "../lib/shell-word.ts";
import { chooseCommands, choosePlaybook } from "./init-choice.ts";
import { placeOf, type InitPlace } from "./init-place.ts";
import { modeline, SCHEMA_FILE } from "./modeline.ts";
import { schemaText } from "./schema-text.ts";
import {
  fingerprint,
  INSTALLED_FILE,
  readInstalled,
  renderInstalled,
  type Installed,
} from "./installed.ts";
import { repositoryTop } from "./repository-top.ts";
import { shippedTexts, type ShippedText } from "./shipped-texts.ts";
import { writeTogether, type PlannedFile } from "./write-together.ts";

export interface InitRequest {
  /** Absolute path; the commands go to the top of the repository around it. */
  readonly cwd: string;
  /** Replace files that differ from the shipped ones. */
  readonly force: boolean;
  /** Names, with or without `/` and `mmm-`; `null`: all. */
  readonly only: readonly string[] | null;
  /** Name of a shipped playbook to copy to `playbooks/`; `null`: none. */
  readonly playbook?: string | null;
  /** The installed package: the folder above `dist/`. */
  readonly packageRoot: string;
  /** The user's home folder: commands in its `.claude/commands` hide those of a repository. */
  readonly home?: string;
  /** The environment mmm was started in. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface InitFile {
  /** `mmm-lint`, `PROJECT.md`, `tdd`. */
  readonly name: string;
  /** Relative to the repository. */
  readonly path: string;
  /** `updated`: it differs, and is just what an older mmm had installed; `kept`: it differs, and `force` was not given. */
  readonly outcome: "installed" | "unchanged" | "updated" | "replaced" | "kept";
}

export interface InitReport {
  /** Top of the repository. */
  readonly root: string;
  /** The commands. */
  readonly files: readonly InitFile[];
  /** The playbook that was asked for, and `PROJECT.md` when it was made. */
  readonly others: readonly InitFile[];
  /** Names that a different file in the home folder hides; Claude prefers that one. */
  readonly hidden: readonly string[];
  /** Lines to type next; the last commits what was written. None when nothing was, or git ignores it all. */
  readonly next: readonly string[];
}

const COMMANDS = ".claude/commands";
const PROJECT_PAGE = ".mmm/PROJECT.md";

/**
 * Installs; all or nothing.
 *
 * @throws MmmError exit 2 for unknown names; exit 3 when there is no repository, a file or a symlink is in the way,
 *   or a folder cannot be written; nothing is changed then
 */
export async function initCommands(request: InitRequest): Promise<InitReport> {
  const root = await repositoryTop(request.cwd, request.env);
  const chosen = chooseCommands(await shippedTexts(request.packageRoot), request.only);
  const record = await placeOf(root, INSTALLED_FILE);
  const installed = readInstalled(record.there?.text ?? null);
  const commands = await Promise.all(
    chosen.map(async ([name, { text }]) => {
      const file = `${COMMANDS}/${name}.md`;
      return plan({ name, file, text, place: await placeOf(root, file) }, request.force, installed);
    }),
  );
  const others = await companions(root, request);
  const plans = [...commands, ...others];
  const writes = plans.flatMap(({ write }) => (write === null ? [] : [write]));
  const known = renderInstalled(recordOf(installed, commands));
  const isNew = known !== record.there?.text;
  await writeTogether([...writes, ...(isNew ? [{ ...record, text: known }] : [])]);
  const wrote = (list: readonly Plan[]): readonly string[] =>
    list.filter(({ write }) => write !== null).map(({ file }) => file.path);
  return {
    root,
    files: commands.map(({ file }) => file),
    others: others.map(({ file }) => file),
    hidden: await hiddenNames(chosen, request.home),
    next: await commitLines(root, await realpath(request.cwd), [
      ...(wrote(commands).length > 0 ? [COMMANDS] : []),
      ...wrote(others),
      ...(isNew ? [INSTALLED_FILE] : []),
    ]),
  };
}

interface Shipped {
  readonly name: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly text: string;
  readonly place: InitPlace;
}

interface Plan {
  readonly file: InitFile;
  readonly write: PlannedFile | null;
  /** {@link fingerprint} of what mmm ships. */
  readonly hash: string;
}

/** What comes along with the commands; a file that a later version brings is one more entry here. */
async function companions(root: string, request: InitRequest): Promise<readonly Plan[]> {
  const plans: Plan[] = [];
  // The user's once it is there: never compared, never replaced.
  const page = await placeOf(root, PROJECT_PAGE);
  if (page.there === null) {
    const text = renderProjectPage(await projectFacts(root, await trackableFiles(root), {}));
    plans.push(plan({ name: "PROJECT.md", file: PROJECT_PAGE, text, place: page }, false, none));
  }
  // Made by mmm, of what this mmm reads: whatever is there gives way.
  const schema = await placeOf(root, SCHEMA_FILE);
  const text = await schemaText(request.packageRoot);
  const told = { name: "playbook.schema.json", file: SCHEMA_FILE, text };
  plans.push(plan({ ...told, place: schema }, true, none));
  const asked = request.playbook ?? null;
  if (asked !== null) {
    const { name, text: shipped } = await choosePlaybook(request.packageRoot, asked);
    const line = modeline(path.join(root, "playbooks"), path.join(root, SCHEMA_FILE));
    const text = `${line}\n${shipped}`;
    const file = `playbooks/${name}.yml`;
    const place = await placeOf(root, file);
    // A copy is meant to be changed, so it is never `updated`.
    plans.push(plan({ name, file, text, place }, request.force, none));
  }
  return plans;
}

const none: Installed = new Map();

function plan({ name, file, text, place }: Shipped, force: boolean, installed: Installed): Plan {
  const { target, there } = place;
  const hash = fingerprint(text);
  const is = (outcome: InitFile["outcome"]): Plan => ({
    file: { name, path: file, outcome },
    write: outcome === "unchanged" || outcome === "kept" ? null : { target, text, there },
    hash,
  });
  if (there === null) return is("installed");
  const now = fingerprint(there.text);
  if (now === hash) return is("unchanged");
  if (installed.get(file) === now) return is("updated");
  return is(force ? "replaced" : "kept");
}

/** What was kept stays as it was last installed: should the user go back to that, it can be updated again. */
function recordOf(installed: Installed, plans: readonly Plan[]): Installed {
  const ours = plans.filter(({ file }) => file.outcome !== "kept");
  return new Map([...installed, ...ours.map(({ file, hash }) => [file.path, hash] as const)]);
}

async function hiddenNames(
  chosen: readonly (readonly [string, ShippedText])[],
  home: string | undefined,
): Promise<readonly string[]> {
  if (home === undefined) return [];
  const texts = await Promise.all(
    chosen.map(async ([name]) =>
      readFile(path.join(home, ".claude", "commands", `${name}.md`), "utf8").catch(() => null),
    ),
  );
  return chosen.flatMap(([name, command], index) => {
    const text = texts[index] ?? null;
    return text === null || text === command.text ? [] : [name];
  });
}

/** Whoever ignores a file does not want it committed; worktrees get a copy of the commands all the same. */
async function commitLines(
  root: string,
  cwd: string,
  paths: readonly string[],
): Promise<readonly string[]> {
  if (paths.length === 0) return [];
  // A folder's name says nothing when its pattern is for what lies in it (`.claude/commands/*`).
  const asked = paths.map((each) => (each === COMMANDS ? `${COMMANDS}/mmm-lint.md` : each));
  // A line each: `-z` wants standard input. These names need no quotes.
  const { records } = await gitRecords(root, ["check-ignore", "--", ...asked]);
  const ignored = new Set(records.join("").split("\n"));
  const wanted = paths.filter((_, index) => !ignored.has(asked[index] ?? ""));
  if (wanted.length === 0) return [];
  const git = root === cwd ? "git" : `git -C ${shellWord(root)}`;
  return [
    `${git} add ${wanted.map(shellWord).join(" ")} && ${git} commit -m "chore: install mmm commands"`,
  ];
}
