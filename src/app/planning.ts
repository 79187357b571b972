/** What `cook` and `resume` share: from words to a plan, and what is said when there is none. */
import { existsSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { MmmError } from "../errors.ts";
import { conditionsOf } from "../playbook/conditions.ts";
import type { Diagnostic } from "../playbook/diagnostic.ts";
import type { PlanRequest } from "../playbook/plan-request.ts";
import { renderDiagnostics } from "../playbook/print.ts";
import type { ReadResult } from "../playbook/read.ts";
import type { SourceFile } from "../playbook/source.ts";
import type { Config } from "./config.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import type { FoundInput } from "./inputs.ts";
import type { PlaybookFile } from "./playbook-file.ts";

/** `--path`, `~/` expanded, else where mmm was started. */
export function workingDirectory(
  request: Pick<CookRequest, "path">,
  { cwd, env }: Invocation,
): string {
  const typed = request.path;
  const home = env["HOME"];
  const expanded =
    typed?.startsWith("~/") && home !== undefined ? path.join(home, typed.slice(2)) : typed;
  const directory = expanded === undefined || expanded === null ? cwd : path.resolve(cwd, expanded);
  if (!existsSync(directory)) {
    throw new MmmError("path-missing", typed === null ? 3 : 2, {
      message: `the directory ${directory} does not exist`,
      next: [typed === null ? "cd to a directory that exists" : "check --path"],
    });
  }
  // git names the repository by its real path, and inputs are told relative to it.
  if (statSync(directory).isDirectory()) return realpathSync(directory);
  throw new MmmError("path-not-directory", 2, {
    message: `--path ${typed ?? ""} is not a directory`,
  });
}

/** Of a playbook that will not run: nothing is looked for. */
export function inputsAsked({ map, args }: CookRequest): readonly Pick<FoundInput, "file">[] {
  return [...map.map((file) => ({ file })), ...args.map(() => ({ file: null }))];
}

export async function basePlan(
  request: CookRequest,
  {
    found,
    read,
  }: {
    readonly found: readonly { readonly file: string | null }[];
    readonly read: ReadResult;
  },
  { env }: Invocation,
): Promise<PlanRequest> {
  return {
    inputs: { count: found.length, allHaveFiles: found.every(({ file }) => file !== null) },
    maxIterations: request.maxIterations,
    environment: env,
    claude: { above: request.model === null ? {} : { model: request.model }, below: {} },
    commandRules: new Map(),
    conditions: await conditionsOf(read),
    // Theirs is the next check, with words of its own.
    params: new Map(),
  };
}

export function withConfig(
  request: PlanRequest,
  known: {
    readonly config: Config;
    readonly rules: PlanRequest["commandRules"];
    readonly invocation: Invocation;
  },
): PlanRequest {
  const model = known.invocation.env["MMM_MODEL"];
  const below = {
    ...known.config.claude,
    ...(model === undefined || model === "" ? {} : { model }),
  };
  return { ...request, commandRules: known.rules, claude: { ...request.claude, below } };
}

/** What mmm itself reads never counts as dirt (spec 5). */
export function ownFiles(
  request: CookRequest,
  file: PlaybookFile,
  { cwd }: Invocation,
): readonly string[] {
  const typed = [request.replay, request.record, request.paramFile].filter((each) => each !== null);
  return [file.absolute, ...typed.map((each) => path.resolve(cwd, each))];
}

export function refuse(
  source: SourceFile,
  diagnostics: readonly Diagnostic[],
  { stderr }: Invocation,
): number {
  stderr.write(renderDiagnostics(source, diagnostics));
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  stderr.write(
    `\nmmm: ${errors} ${errors === 1 ? "problem" : "problems"} in ${source.name}, nothing was run\n`,
  );
  return 2;
}

/** Warnings and notes of a playbook that runs all the same. */
export function notes(
  source: SourceFile,
  diagnostics: readonly Diagnostic[],
  { request, invocation }: { readonly request: CookRequest; readonly invocation: Invocation },
): void {
  // `mmm validate` is the place for them; a run that works is not to be drowned in advice.
  if (request.verbosity < 1) return;
  if (diagnostics.length > 0)
    invocation.stderr.write(`${renderDiagnostics(source, diagnostics)}\n`);
}
