import { type Command, Option } from "commander";
import type { Invocation } from "../app/cook-request.ts";

interface AnalyzeOptions {
  readonly format: "summary" | "json";
  readonly force?: boolean;
  readonly path?: string;
}

/** `mmm analyze` (spec 1, 2.7). */
export function addAnalyze(
  program: Command,
  invocation: Invocation,
  exit: (code: number) => void,
): void {
  program
    .command("analyze")
    .description("make the context for Claude in .mmm/context, and show it")
    .addOption(
      new Option("--format <kind>", "summary or json")
        .choices(["summary", "json"])
        .default("summary"),
    )
    .option("-f, --force", "make it again though nothing has changed")
    .option("-p, --path <dir>", "repository to look at")
    .action(async ({ format, force, path }: AnalyzeOptions) => {
      const { analyze } = await import("../app/analyze.ts");
      exit(await analyze({ format, force: force ?? false, path: path ?? null }, invocation));
    });
}
