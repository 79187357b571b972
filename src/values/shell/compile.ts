import type { Reference } from "../reference.ts";
import type { OptionPlace } from "./lint-option.ts";
import { lintScan } from "./lint.ts";
import { errorAt, type ShellProblem, warningAt } from "./problem.ts";
import { holdsReference, recogniser } from "./recognise.ts";
import type { Recogniser, Site } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";
import { scanShell } from "./scan.ts";

export type { ShellProblem } from "./problem.ts";

/** A `shell:` text that was read and found fit, ready for its values. */
export interface ShellText {
  readonly source: string;
  /** In the order of the text; one in a comment is none. */
  readonly references: readonly Reference[];
  readonly plan: ShellPlan;
}

/** What `renderShellText` needs; opaque to everyone else. */
export interface ShellPlan {
  readonly sites: readonly Site[];
  readonly options: ReadonlyMap<Reference, OptionPlace>;
}

/**
 * Reads a `shell:` text (3.2). Fails closed: a text that holds a reference and cannot be read to its end is refused,
 * one without a reference goes to the shell as it is. `isKnown` is asked for plain names ("ARG", "item").
 */
export function compileShellText(
  text: string,
  isKnown: (name: string) => boolean,
): { readonly text: ShellText | null; readonly problems: readonly ShellProblem[] } {
  const nul = text.indexOf("\0");
  if (nul !== -1) {
    const problem = errorAt(
      { start: nul, end: nul + 1 },
      "nul",
      "the text holds a NUL byte, which no command can take",
    );
    return { text: null, problems: [problem] };
  }
  let recognise = recogniser(text, isKnown, new Set());
  let scan = scanShell(text, recognise);
  if (setsKnownName(scan, isKnown)) {
    recognise = recogniser(text, isKnown, scan.assigned);
    scan = scanShell(text, recognise);
  }
  const { problems, plan } =
    scan.stopped === null ? checkScan(scan) : unreadable(scan, scan.stopped, recognise);
  if (problems.some((problem) => problem.severity === "error")) return { text: null, problems };
  const references = plan.sites.map((site) => site.reference);
  return { text: { source: text, references, plan }, problems };
}

interface Checked {
  readonly problems: readonly ShellProblem[];
  readonly plan: ShellPlan;
}

/** Everything that is wrong with a text that could be read, in the order of the text. */
export function checkScan(scan: Scan): Checked {
  const raw = scan.sites
    // A command of the project's own is one: `${project.test|raw}` is how it is run.
    .filter(({ reference }) => reference.filter === "raw" && reference.path[0] !== "project")
    .map(({ reference }) =>
      warningAt(reference, "raw", `${reference.text} inserts the value as shell code, as it is`),
    );
  const lint = lintScan(scan);
  const seen = new Set<string>();
  const problems = [...scan.problems, ...lint.problems, ...raw]
    .filter((problem) => {
      const key = `${problem.start} ${problem.code}`;
      return !seen.has(key) && seen.add(key);
    })
    .sort((a, b) => a.start - b.start);
  return { problems, plan: { sites: scan.sites, options: lint.options } };
}

function setsKnownName(scan: Scan, isKnown: (name: string) => boolean): boolean {
  for (const name of scan.assigned) if (isKnown(name)) return true;
  return false;
}

function unreadable(scan: Scan, stopped: ShellProblem, recognise: Recogniser): Checked {
  const plan: ShellPlan = { sites: [], options: new Map() };
  if (!holdsReference(scan.text, recognise)) return { problems: [], plan };
  const before = scan.problems.filter((problem) => problem.severity === "error");
  if (before.some((problem) => problem.code === stopped.code)) return { problems: before, plan };
  const line = scan.text.slice(0, stopped.start).split("\n").length;
  const message = `line ${line}: ${stopped.message}; mmm cannot tell how the values would be quoted`;
  return { problems: [...before, { ...stopped, message }], plan };
}

/** For the walk over a playbook that goes on after a problem. */
export function emptyShellText(): ShellText {
  const { text } = compileShellText("", () => false);
  if (text === null) throw new Error("the empty shell text does not compile");
  return text;
}
