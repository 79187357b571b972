import { builtinFindings } from "./lint-builtin.ts";
import { programFindings } from "./lint-code.ts";
import { commandIndex, type Finding, nameOf } from "./lint-words.ts";
import { errorAt, type ShellProblem, warningAt } from "./problem.ts";
import { scanShell } from "./scan.ts";
import { HOLE, type Command, type Scan, type Site } from "./scan-state.ts";

/** Shell in shell in shell: deeper than this, nobody can say what is quoted. */
const MAX_LEVELS = 4;

/**
 * Places where the shell or a program evaluates a value a second time. A help for the author, not the border: the
 * border is that values never stand in the text.
 */
export function lintScan(scan: Scan): ShellProblem[] {
  return lint(scan, 0);
}

function lint(scan: Scan, level: number): ShellProblem[] {
  const problems: ShellProblem[] = [];
  const quotable = new Set<Site>();
  for (const command of scan.commands) {
    for (const finding of findings(command, scan)) {
      const { site } = finding;
      if (site.reference.filter === "raw") continue;
      const allowed = site.reference.filter === "quote" && finding.inner !== undefined;
      if (allowed) {
        quotable.add(site);
        const problem = innerProblem(finding, level);
        if (problem !== null) problems.push(problem);
      } else problems.push(problemOf(finding));
    }
  }
  if (level === 0) problems.push(...placeProblems(scan, quotable, problems));
  return problems;
}

function* findings(command: Command, scan: Scan): Generator<Finding> {
  const index = commandIndex(command.words);
  if (command.kind === "simple") {
    for (const at of new Set([0, index])) {
      const word = command.words[at];
      const before = word?.literal.slice(0, word.literal.indexOf(HOLE)) ?? "";
      for (const site of word !== undefined && !before.includes("/") ? word.sites : []) {
        const why =
          "stands where the name of a command goes; write the name of the program, or |raw to run the text of the value as shell";
        yield { site, code: "command", why };
      }
    }
  }
  yield* builtinFindings(command);
  if (command.kind === "simple") {
    const piped =
      command.piped === null ? [] : scan.sites.slice(command.piped.from, command.piped.to);
    yield* programFindings(command, index, piped);
  }
}

function problemOf(finding: Finding): ShellProblem {
  const { reference } = finding.site;
  const make = finding.warning === true ? warningAt : errorAt;
  return make(reference, finding.code, `${reference.text} ${finding.why}`);
}

/** `|quote` is right only where it is one bare word of the inner shell's text, and no code there either. */
function innerProblem(finding: Finding, level: number): ShellProblem | null {
  const { site } = finding;
  const inner = finding.inner ?? { text: "", sites: [] };
  const wrong = (why: string): ShellProblem =>
    errorAt(site.reference, "quote-place", `${site.reference.text} ${why}`);
  if (level >= MAX_LEVELS) return wrong("stands too many shells deep");
  let next = 0;
  let text = "";
  const starts = new Map<number, Site>();
  for (const piece of inner.text.split(HOLE)) {
    const owner = next > 0 ? inner.sites[next - 1] : undefined;
    if (owner !== undefined) {
      starts.set(text.length, owner);
      text += "$V";
    }
    text += piece;
    next += 1;
  }
  const scan = scanShell(text, (offset) => {
    const owner = starts.get(offset);
    return owner === undefined
      ? null
      : { reference: owner.reference, end: offset + 2, problem: null };
  });
  if (scan.stopped !== null)
    return wrong(`stands in shell text that cannot be read: ${scan.stopped.message}`);
  const mine = scan.sites.filter((each) => each.reference === site.reference);
  if (mine.length === 0 || mine.some((each) => each.context !== "bare")) {
    return wrong(
      "must stand bare, outside quotes, in the inner shell's text: it brings its own quotes",
    );
  }
  const problem = lint(scan, level + 1).find(
    (each) => each.start === site.reference.start && each.severity === "error",
  );
  return scan.problems.find((each) => each.severity === "error") ?? problem ?? null;
}

/** Filters that do not fit where they stand. */
function placeProblems(
  scan: Scan,
  quotable: ReadonlySet<Site>,
  known: readonly ShellProblem[],
): ShellProblem[] {
  const flagged = new Set(known.map((each) => each.start));
  const problems: ShellProblem[] = [];
  for (const site of scan.sites) {
    const { reference, word } = site;
    if (flagged.has(reference.start)) continue;
    if (reference.filter === "quote" && !quotable.has(site)) {
      const why =
        "is quoted for one more shell, and no shell text of sh -c, eval or ssh stands here; leave |quote out";
      problems.push(errorAt(reference, "quote-place", `${reference.text} ${why}`));
    }
    if (
      reference.filter === "opt" &&
      (word === null || !isWholeWord(site) || !takesWords(word.role))
    ) {
      const why =
        "can drop a whole bare word only; write it alone as an argument, or leave |opt out";
      problems.push(errorAt(reference, "opt-place", `${reference.text} ${why}`));
    }
    if (reference.filter === "file" && site.context === "arith") {
      problems.push(
        errorAt(
          reference,
          "arith",
          `${reference.text} stands in arithmetic, and a path is no number`,
        ),
      );
    }
  }
  if (scan.sites.length > 0) problems.push(...tracing(scan));
  return problems;
}

/** True when the reference is all there is in its word, outside quotes. */
export function isWholeWord(site: Site): boolean {
  return (
    site.context === "bare" &&
    site.word !== null &&
    site.word.start === site.start &&
    site.word.end === site.end
  );
}

/** True where several words, or none, can stand for one. */
export function takesWords(role: string): boolean {
  return role === "argument" || role === "for-word";
}

function tracing(scan: Scan): ShellProblem[] {
  const set = scan.commands.find((command) => nameOf(command.words[0]) === "set");
  const traced = set?.words.find((word) => /^-[a-z]*x/.test(word.literal));
  if (traced === undefined) return [];
  return [warningAt(traced, "trace", "set -x prints the values, secrets too")];
}
