import { assignmentFindings, builtinFindings, evaluatedNames } from "./lint-builtin.ts";
import { programFindings } from "./lint-code.ts";
import { commandIndex, type Finding, nameOf } from "./lint-words.ts";
import type { Reference } from "../reference.ts";
import { type OptionPlace, optionPlaces } from "./lint-option.ts";
import { errorAt, type ShellProblem, warningAt } from "./problem.ts";
import { scanShell } from "./scan.ts";
import { HOLE, type Command, type Site } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";

/** Shell in shell in shell: deeper than this, nobody can say what is quoted. */
const MAX_LEVELS = 4;

/** What the checks of one scan say. */
export interface Lint {
  readonly problems: readonly ShellProblem[];
  /** Where a value that looks like an option would be read as one; inside quoted shell text as well. */
  readonly options: ReadonlyMap<Reference, OptionPlace>;
}

/**
 * Places where the shell or a program evaluates a value a second time. A help for the author, not the border: the
 * border is that values never stand in the text.
 */
export function lintScan(scan: Scan): Lint {
  return new Linter(scan, 0).run();
}

type Inner = NonNullable<Finding["inner"]>;

/** What one reading of an inner text found. */
interface Reading {
  readonly scan: Scan;
  readonly options: ReadonlyMap<Reference, OptionPlace>;
  /** By the start of their reference. */
  readonly errors: ReadonlyMap<number, ShellProblem>;
  /** References that do not stand bare, or were not reached. */
  readonly misplaced: ReadonlySet<Reference>;
}

/** One level of shell text; `sh -c "… ${x|quote} …"` makes another inside it. */
class Linter {
  private readonly problems: ShellProblem[] = [];
  private readonly options: Map<Reference, OptionPlace>;
  private readonly quotable = new Set<Reference>();
  /** Every reference of one inner text shares one reading of it. */
  private readonly inner = new Map<Inner, Reading>();
  private readonly scan: Scan;
  private readonly level: number;

  constructor(scan: Scan, level: number) {
    this.scan = scan;
    this.level = level;
    this.options = optionPlaces(scan);
  }

  run(): Lint {
    const { scan, problems } = this;
    const names = evaluatedNames(scan.commands);
    for (const command of scan.commands) {
      for (const finding of findings(command, scan)) this.add(finding);
      for (const finding of assignmentFindings(command, names)) this.add(finding);
    }
    if (this.level === 0) {
      problems.push(...placeProblems(scan, this.quotable, problems), ...tracing(scan));
    }
    return { problems, options: this.options };
  }

  private add(finding: Finding): void {
    const { reference } = finding.site;
    if (reference.filter === "raw") return;
    if (reference.filter !== "quote" || finding.inner === undefined) {
      this.problems.push(problemOf(finding));
      return;
    }
    this.quotable.add(reference);
    const problem = this.innerProblem(reference, finding.inner);
    if (problem !== null) this.problems.push(problem);
  }

  /** `|quote` is right only where it is one bare word of the inner shell's text, and no code there either. */
  private innerProblem(reference: Reference, inner: Inner): ShellProblem | null {
    const wrong = (why: string): ShellProblem =>
      errorAt(reference, "quote-place", `${reference.text} ${why}`);
    if (this.level >= MAX_LEVELS) return wrong("stands too many shells deep");
    const { scan, options, errors, misplaced } = this.read(inner);
    if (scan.stopped !== null) {
      return wrong(`stands in shell text that cannot be read: ${scan.stopped.message}`);
    }
    if (misplaced.has(reference)) {
      return wrong(
        "must stand bare, outside quotes, in the inner shell's text: it brings its own quotes",
      );
    }
    const place = options.get(reference);
    if (place !== undefined) this.options.set(reference, place);
    return errors.get(reference.start) ?? null;
  }

  private read(inner: Inner): Reading {
    const known = this.inner.get(inner);
    if (known !== undefined) return known;
    const scan = scanInner(inner);
    const { problems, options } = new Linter(scan, this.level + 1).run();
    const errors = new Map<number, ShellProblem>();
    for (const problem of [...problems, ...scan.problems]) {
      if (problem.severity === "error") errors.set(problem.start, problem);
    }
    const misplaced = new Set(inner.sites.map((site) => site.reference));
    for (const site of scan.sites) if (site.context === "bare") misplaced.delete(site.reference);
    for (const site of scan.sites) if (site.context !== "bare") misplaced.add(site.reference);
    const reading = { scan, options, errors, misplaced };
    this.inner.set(inner, reading);
    return reading;
  }
}

/** Reads shell text inside shell text, with a placeholder for each of its references. */
function scanInner(inner: Inner): Scan {
  const starts = new Map<number, Reference>();
  let text = "";
  for (const [index, piece] of inner.text.split(HOLE).entries()) {
    const owner = inner.sites[index - 1];
    if (owner !== undefined) {
      starts.set(text.length, owner.reference);
      text += "$V";
    }
    text += piece;
  }
  return scanShell(text, (offset) => {
    const reference = starts.get(offset);
    return reference === undefined ? null : { reference, end: offset + 2, problem: null };
  });
}

function* findings(command: Command, scan: Scan): Generator<Finding> {
  const index = commandIndex(command.words);
  if (command.kind === "simple") {
    for (const at of new Set([0, index])) {
      const word = command.words[at];
      // `a[${x}]=1`: the scanner has refused it as a subscript.
      if (/^\w+\[/.test(word?.literal ?? "")) continue;
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
    yield* programFindings(command, index, () => fedSites(command, scan));
  }
}

/** References that reach the standard input of a command from elsewhere: a pipe, or the compound commands around it. */
function fedSites(command: Command, scan: Scan): Site[] {
  const { piped } = command;
  const pipes = piped === null ? scan.compoundPipes : [piped];
  const sites = pipes.flatMap((pipe) => scan.sites.slice(pipe.from, pipe.to));
  if (command.inputs.length > 0) return [];
  for (const input of scan.inputs) {
    const { words } = input.command;
    const around = words.length === 0 || nameOf(words[0]) === "exec";
    const feeds = piped === null ? around : input.at >= piped.start && input.at < piped.end;
    if (feeds) sites.push(...input.word.sites);
  }
  return sites;
}

function problemOf(finding: Finding): ShellProblem {
  const { reference } = finding.site;
  const make = finding.warning === true ? warningAt : errorAt;
  return make(reference, finding.code, `${reference.text} ${finding.why}`);
}

/** Filters that do not fit where they stand. */
function placeProblems(
  scan: Scan,
  quotable: ReadonlySet<Reference>,
  known: readonly ShellProblem[],
): ShellProblem[] {
  const flagged = new Set(known.map((each) => each.start));
  const problems: ShellProblem[] = [];
  for (const site of scan.sites) {
    const { reference, word } = site;
    if (flagged.has(reference.start)) continue;
    if (reference.filter === "quote" && !quotable.has(reference)) {
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
  if (scan.sites.length === 0) return [];
  const set = scan.commands.find((command) => nameOf(command.words[0]) === "set");
  const traced = set?.words.find((word) => /^-[a-z]*x/.test(word.literal));
  if (traced === undefined) return [];
  return [warningAt(traced, "trace", "set -x prints the values, secrets too")];
}
