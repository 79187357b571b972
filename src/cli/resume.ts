/** `mmm resume [SESSION]`, and `mmm cook --resume SESSION`, which is the same (spec 1). */
import { type Command, Option } from "commander";
import type { CookRequest, Invocation } from "../app/cook-request.ts";
import { MmmError } from "../errors.ts";
import { addLimitOptions, type LimitOptions, limitsAsked } from "./limit-options.ts";
import type { CookOptions } from "./program.ts";
import { atOnce } from "./values.ts";

type Verbosity = CookRequest["verbosity"];

interface ResumeOptions extends LimitOptions {
  readonly path?: string;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly parallel?: number;
  readonly reporter?: "pretty" | "plain" | "json";
  readonly emoji: boolean;
}

export function addResume(
  program: Command,
  use: {
    readonly invocation: Invocation;
    readonly exit: (code: number) => void;
    readonly verbosity: () => Verbosity;
  },
): void {
  const command = program
    .command("resume [SESSION]")
    .description("go on where a session stopped; the newest one that can when none is named")
    .option("-p, --path <dir>", "directory in the repository of the session")
    .option("--force", "run again from the first step that has changed")
    .option("-y, --yes", "answer yes to merge and clean-up questions")
    .option("--parallel <n>", "of a session with inputs at once: so many from now on", atOnce)
    .addOption(
      new Option("--reporter <kind>", "how to show the run").choices(["pretty", "plain", "json"]),
    )
    .option("--no-emoji", "plain signs instead of emoji")
    .action(async (session: string | undefined, options: ResumeOptions) => {
      const { resume } = await import("../app/resume.ts");
      const request = {
        session: session ?? null,
        playbook: null,
        path: options.path ?? null,
        force: options.force ?? false,
        changes: {
          ...looks(options),
          ...answers(options),
          limits: limitsAsked(options),
          verbosity: use.verbosity(),
        },
      };
      use.exit(await resume(request, use.invocation));
    });
  addLimitOptions(command);
}

/** What a recorded request must not decide: this may be another terminal. */
function looks({
  reporter,
  emoji,
}: Pick<ResumeOptions, "reporter" | "emoji">): Pick<CookRequest, "reporter" | "emoji"> {
  return { reporter: reporter ?? null, emoji };
}

function answers({
  yes,
  parallel,
}: Pick<ResumeOptions, "yes" | "parallel">): Pick<Partial<CookRequest>, "yes" | "parallel"> {
  return { ...(yes === true ? { yes } : {}), ...(parallel === undefined ? {} : { parallel }) };
}

/** Given with `--resume`, these would begin something else (spec 1); a session keeps what it was begun with. */
const EXCLUDED: readonly (readonly [option: string, isGiven: (options: CookOptions) => boolean])[] =
  [
    ["--map", ({ map }) => map !== undefined],
    ["--args", ({ args }) => args !== undefined],
    ["--worktree", ({ worktree }) => worktree !== undefined],
    ["--param", ({ param }) => param !== undefined],
    ["--param-file", ({ paramFile }) => paramFile !== undefined],
    ["--fail-fast", ({ failFast }) => failFast !== undefined],
    ["--record", ({ record }) => record !== undefined],
    ["--replay", ({ replay }) => replay !== undefined],
    ["--allow-dirty", ({ allowDirty }) => allowDirty !== undefined],
    ["--no-rollback", ({ rollback }) => !rollback],
    ["--no-commit", ({ commit }) => !commit],
    ["--skip-analysis", ({ skipAnalysis }) => skipAnalysis !== undefined],
  ];

export async function resumeFromCook(
  playbook: string | undefined,
  options: CookOptions,
  use: {
    readonly command: Command;
    readonly invocation: Invocation;
    readonly verbosity: Verbosity;
  },
): Promise<number> {
  if (options.resume === undefined) {
    throw new MmmError("force-alone", 2, {
      message: "--force goes with --resume",
      next: ["mmm cook --resume SESSION --force"],
    });
  }
  const wrong = EXCLUDED.find(([, isGiven]) => isGiven(options))?.[0];
  if (wrong !== undefined) {
    throw new MmmError("resume-excludes", 2, {
      message: `--resume and ${wrong} exclude each other: a session keeps what it was begun with`,
      next: [`mmm resume ${options.resume}`],
    });
  }
  if (options.dryRun === true) {
    throw new MmmError("resume-excludes", 2, {
      message: "--resume and --dry-run exclude each other: the plan is that of a new session",
      next: [
        `mmm sessions show ${options.resume}   (what it has done)`,
        "mmm cook PLAYBOOK --dry-run   (what a new one would do)",
      ],
    });
  }
  const { resume } = await import("../app/resume.ts");
  return resume(
    {
      session: options.resume,
      playbook: playbook ?? null,
      path: options.path ?? null,
      force: options.force ?? false,
      changes: {
        ...looks(options),
        ...answers(options),
        limits: limitsAsked(options),
        verbosity: use.verbosity,
        ...(options.maxIterations === undefined ? {} : { maxIterations: options.maxIterations }),
        ...(options.model === undefined ? {} : { model: options.model }),
      },
    },
    use.invocation,
  );
}
