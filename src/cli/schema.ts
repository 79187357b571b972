import type { Command } from "commander";
import type { Invocation } from "../app/cook-request.ts";

/** `mmm schema` (spec 1). */
export function addSchema(
  program: Command,
  invocation: Invocation,
  exit: (code: number) => void,
): void {
  program
    .command("schema")
    .description("print the JSON Schema of playbooks, for editors")
    .option("--write [file]", "write it instead (default: .mmm/playbook.schema.json)")
    .action(async ({ write }: { write?: string | true }) => {
      const { schema } = await import("../app/schema.ts");
      exit(await schema({ write: write ?? null }, invocation));
    });
}
