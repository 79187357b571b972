/** `mmm completion SHELL`, and the hidden `mmm __complete` that the scripts ask (spec 1). */
import { Argument, type Command } from "commander";
import type { Invocation } from "../app/cook-request.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export function addCompletion(
  program: Command,
  invocation: Invocation,
  exit: (code: number) => void,
): void {
  program
    .command("completion")
    .description("print the completion script of a shell")
    .addArgument(new Argument("<SHELL>", "bash, zsh or fish").choices(SHELLS))
    .action(async (shell: (typeof SHELLS)[number]) => {
      const { completionScript } = await import("./completion-scripts.ts");
      invocation.stdout.write(completionScript(shell));
    });
  program
    .command("__complete [words...]", { hidden: true })
    .helpOption(false)
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const { complete } = await import("./complete.ts");
      exit(await complete(program, words, invocation));
    });
}
