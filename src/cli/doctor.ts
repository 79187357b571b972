import type { Command } from "commander";
import type { Invocation } from "../app/cook-request.ts";

/** `mmm doctor [--json]` (spec 1). */
export function addDoctor(
  program: Command,
  invocation: Invocation,
  exit: (code: number) => void,
): void {
  program
    .command("doctor")
    .description("say what mmm needs and finds here")
    .option("--json", "one object for programs")
    .action(async (options: { json?: boolean }) => {
      const { doctor } = await import("../app/doctor.ts");
      exit(await doctor({ json: options.json ?? false }, invocation));
    });
}
