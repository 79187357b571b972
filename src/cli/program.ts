/** argv in, exit code out: the only folder that knows commander. Commands load their code when they run. */
import { Command, CommanderError, Option } from "commander";
import type { CookRequest, Invocation } from "../app/cook-request.ts";
import { addAnalyze } from "./analyze.ts";
import { addCompletion } from "./completion.ts";
import { addDoctor } from "./doctor.ts";
import { addLimitOptions, type LimitOptions, limitsAsked } from "./limit-options.ts";
import { checkOperands } from "./operands.ts";
import { addResume, resumeFromCook } from "./resume.ts";
import { addSchema } from "./schema.ts";
import { addSessions } from "./sessions.ts";
import { append, atOnce, commaList, iterations } from "./values.ts";
import { addWorktree } from "./worktree.ts";
import { printable } from "../lib/printable.ts";

type Verbosity = CookRequest["verbosity"];

/** Runs one command line; usage problems are told on stderr and are exit code 2. */
export async function runCli(argv: readonly string[], invocation: Invocation): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(argv[0] ?? "", invocation, (code) => {
    exitCode = code;
  });
  // Options without a command ask for nothing.
  if (argv.every((word) => /^(?:-[vq]+|--verbose|--quiet)$/.test(word))) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  return exitCode;
}

/** @param first word of the command line: a command's name, and no other command is made */
function buildProgram(
  first: string,
  invocation: Invocation,
  exit: (code: number) => void,
): Command {
  const program = new Command("mmm")
    .description(
      "make for Claude: run a playbook of claude and shell steps, bounded, every change a commit",
    )
    .version(invocation.version, "-V, --version")
    .addOption(
      new Option(
        "-v, --verbose",
        "show what Claude and the commands say; -vv: commands and logs too",
      )
        .argParser((_value: unknown, count: number) => count + 1)
        .default(0, "status only"),
    )
    .option("-q, --quiet", "problems and the last line only")
    .configureOutput({
      writeOut: (text) => invocation.print(text),
      writeErr: (text) => invocation.stderr.write(printable(text)),
    })
    .exitOverride();
  program.addHelpText("after", "\nStart with: mmm init, then mmm cook default");
  const adders = {
    cook: () => addCook(program, { invocation, exit, name: "cook" }),
    improve: () => addCook(program, { invocation, exit, name: "improve" }),
    resume: () => addResume(program, { invocation, exit, verbosity: () => verbosityOf(program) }),
    validate: () => addValidate(program, invocation, exit),
    init: () => addInit(program, invocation, exit),
    sessions: () => addSessions(program, invocation, exit),
    worktree: () => addWorktree(program, invocation, exit),
    doctor: () => addDoctor(program, invocation, exit),
    schema: () => addSchema(program, invocation, exit),
    completion: () => addCompletion(program, invocation, exit),
    analyze: () => addAnalyze(program, invocation, exit),
  };
  const isKnown = (name: string): name is keyof typeof adders => Object.hasOwn(adders, name);
  // To make them all takes as long as to read a playbook. Completion tells of each, and so does help.
  if (isKnown(first) && first !== "completion") adders[first]();
  else for (const add of Object.values(adders)) add();
  return program;
}

function addCook(
  program: Command,
  {
    invocation,
    exit,
    name,
  }: { invocation: Invocation; exit: (code: number) => void; name: "cook" | "improve" },
): void {
  const command = program
    .command(`${name} [PLAYBOOK]`, name === "improve" ? { hidden: true } : {})
    .description("run a playbook")
    .option("-p, --path <dir>", "directory to work in")
    .option("-n, --max-iterations <n>", "passes over the steps, 1 to 1000", iterations)
    .option("-w, --worktree", "run in a fresh git worktree on a branch of its own")
    .option("--map <pattern>", "one input for each matching file (repeatable)", append)
    .option("--args <value>", "one input for each value (repeatable)", append)
    .option("--param <name=value>", "value of a parameter of the playbook (repeatable)", append)
    .option("--param-file <file>", "values of parameters, YAML or JSON")
    .option("--parallel <n>", "so many inputs at once, each in a worktree of its own", atOnce)
    .option("--fail-fast", "with several inputs: stop at the first that fails")
    .option("-y, --yes", "answer yes to merge and clean-up questions")
    .option("--model <name>", "default model for Claude steps")
    .option("--record <file>", "write down what Claude did in this run")
    .option("--replay <file>", "let a recording stand in for Claude, offline and free")
    .addOption(
      new Option("--reporter <kind>", "how to show the run").choices(["pretty", "plain", "json"]),
    )
    .option("--no-emoji", "plain signs instead of emoji")
    .option("--allow-dirty", "start although the tree has changes, and leave those files alone")
    .option("--no-rollback", "leave what a failed step did in the tree")
    .option("--no-commit", "make no commits, and undo nothing")
    .option("--skip-analysis", "analyze steps and analysis blocks do nothing")
    .option("--dry-run", "print the plan, start nothing, write nothing")
    .option("--resume <session>", "go on where that session stopped")
    .option("--force", "with --resume: run again from the first step that has changed")
    .action(async (playbook: string | undefined, options: CookOptions) => {
      if (name === "improve") {
        invocation.stderr.write(
          "note: `mmm improve` is now `mmm cook`; the old name will go away\n",
        );
      }
      checkOperands(command.args, options.map ?? []);
      if (options.resume !== undefined || options.force === true) {
        exit(
          await resumeFromCook(playbook, options, {
            command,
            invocation,
            verbosity: verbosityOf(program),
          }),
        );
        return;
      }
      const request = cookRequest(playbook, options, verbosityOf(program));
      exit(await begin(request, options, invocation));
    });
  addLimitOptions(command);
  command.allowExcessArguments(true);
}

async function begin(
  request: CookRequest,
  { dryRun: isDry }: CookOptions,
  invocation: Invocation,
): Promise<number> {
  if (isDry === true) {
    const { dryRun } = await import("../app/dry-run.ts");
    return dryRun(request, invocation);
  }
  const { cook } = await import("../app/cook.ts");
  return cook(request, invocation);
}

function addValidate(program: Command, invocation: Invocation, exit: (code: number) => void): void {
  program
    .command("validate <PLAYBOOK...>")
    .description("check playbooks; every problem with its place")
    .addOption(
      new Option("--format <kind>", "text, json or github")
        .choices(["text", "json", "github"])
        .default("text"),
    )
    .action(async (playbooks: string[], options: { format: "text" | "json" | "github" }) => {
      const { validate } = await import("../app/validate.ts");
      exit(await validate({ playbooks, format: options.format }, invocation));
    });
}

function addInit(program: Command, invocation: Invocation, exit: (code: number) => void): void {
  program
    .command("init")
    .description("install the Claude commands that the shipped playbooks call")
    .option("-f, --force", "replace files that differ")
    .option("-c, --commands <names>", "only these, separated by commas", commaList)
    .option("-p, --path <dir>", "repository to install into")
    .option("--list", "list the commands and playbooks, install nothing")
    .option("--playbook <name>", "copy this shipped playbook to playbooks/ as well")
    .action(async (options: InitOptions) => {
      const { runInit } = await import("../app/run-init.ts");
      const request = {
        force: options.force ?? false,
        only: options.commands ?? null,
        path: options.path ?? null,
        list: options.list ?? false,
        playbook: options.playbook ?? null,
      };
      exit(await runInit(request, invocation));
    });
}

interface InitOptions {
  readonly force?: boolean;
  readonly commands?: readonly string[];
  readonly path?: string;
  readonly list?: boolean;
  readonly playbook?: string;
}

export interface CookOptions extends LimitOptions {
  readonly resume?: string;
  readonly force?: boolean;
  readonly path?: string;
  readonly maxIterations?: number;
  readonly map?: readonly string[];
  readonly args?: readonly string[];
  readonly worktree?: boolean;
  readonly param?: readonly string[];
  readonly paramFile?: string;
  readonly parallel?: number;
  readonly failFast?: boolean;
  readonly yes?: boolean;
  readonly model?: string;
  readonly record?: string;
  readonly replay?: string;
  readonly reporter?: "pretty" | "plain" | "json";
  readonly emoji: boolean;
  readonly allowDirty?: boolean;
  readonly rollback: boolean;
  readonly commit: boolean;
  readonly skipAnalysis?: boolean;
  readonly dryRun?: boolean;
}

function cookRequest(
  playbook: string | undefined,
  options: CookOptions,
  verbosity: Verbosity,
): CookRequest {
  return {
    playbook: playbook ?? null,
    path: options.path ?? null,
    maxIterations: options.maxIterations ?? null,
    map: options.map ?? [],
    args: options.args ?? [],
    params: options.param ?? [],
    paramFile: options.paramFile ?? null,
    worktree: options.worktree ?? false,
    parallel: options.parallel ?? null,
    failFast: options.failFast ?? false,
    yes: options.yes ?? false,
    model: options.model ?? null,
    record: options.record ?? null,
    replay: options.replay ?? null,
    reporter: options.reporter ?? null,
    emoji: options.emoji,
    allowDirty: options.allowDirty ?? false,
    rollback: options.rollback,
    commit: options.commit,
    skipAnalysis: options.skipAnalysis ?? false,
    limits: limitsAsked(options),
    verbosity,
  };
}

function verbosityOf(program: Command): Verbosity {
  const { quiet, verbose } = program.opts<{ quiet?: boolean; verbose: number }>();
  if (quiet === true) return -1;
  return verbose >= 2 ? 2 : verbose === 1 ? 1 : 0;
}
