/** What the specification has and this version does not: named as such, never "unknown"; delete a line when it comes. */
import { type Command, Option } from "commander";
import { MmmError } from "../errors.ts";

const COMMANDS: readonly string[] = [];

/** Of `cook`. A value is taken along, so that nothing is said about it. */
const OPTIONS = ["--parallel [n]"];

/** Hidden from the help and from suggestions. */
export function refusePlannedCommands(program: Command): void {
  for (const name of COMMANDS) {
    program
      .command(`${name} [words...]`, { hidden: true })
      .helpOption(false)
      .allowUnknownOption()
      .action(() => {
        throw notYet(name);
      });
  }
}

/** See {@link refusePlannedCommands}. */
export function refusePlannedOptions(command: Command): void {
  for (const flags of OPTIONS) {
    const option = new Option(flags).hideHelp();
    command.addOption(option).on(`option:${option.name()}`, () => {
      throw notYet(option.long ?? flags);
    });
  }
}

function notYet(what: string): MmmError {
  return new MmmError("not-in-this-version", 2, {
    message: `\`${what}\` is not in this version of mmm`,
    next: ["mmm --help and mmm cook --help show what is"],
  });
}
