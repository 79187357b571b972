/** `mmm sessions` and its words; each loads its code when it runs. */
import { type Command, InvalidArgumentError } from "commander";
import type { Invocation } from "../app/cook-request.ts";
import { parseDuration } from "../lib/duration.ts";

interface Added {
  readonly invocation: Invocation;
  readonly exit: (code: number) => void;
}

export function addSessions(program: Command, invocation: Invocation, exit: Added["exit"]): void {
  const sessions = program
    .command("sessions")
    .description("what was run here: ls (default), show, logs, drop, rm");
  const added = { invocation, exit };
  addList(sessions, added);
  addShow(sessions, added);
  addLogs(sessions, added);
  addDrop(sessions, added);
  addRemove(sessions, added);
}

function addList(sessions: Command, { invocation, exit }: Added): void {
  const command = sessions
    .command("ls", { isDefault: true })
    .description("list the sessions, newest first")
    .option("--json", "as one JSON array")
    .allowExcessArguments(true)
    .action(async (options: { json?: boolean }) => {
      const { listCommand } = await import("../app/sessions/list.ts");
      exit(await listCommand({ json: options.json ?? false, words: command.args }, invocation));
    });
}

function addShow(sessions: Command, { invocation, exit }: Added): void {
  sessions
    .command("show [NAME]")
    .description("the course of a session (default: the newest): where time and money went")
    .option("--json", "as one JSON object")
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const { showCommand } = await import("../app/sessions/show.ts");
      exit(await showCommand({ name: name ?? null, json: options.json ?? false }, invocation));
    });
}

function addLogs(sessions: Command, { invocation, exit }: Added): void {
  sessions
    .command("logs [NAME] [STEP]")
    .description("list the logs of a session (default: the newest), or print those of a step")
    .option("-f, --follow", "print what is running as it comes, until the session ends")
    .option("--json", "the list as one JSON array")
    .action(
      async (
        name: string | undefined,
        step: string | undefined,
        options: { follow?: boolean; json?: boolean },
      ) => {
        const { logsCommand } = await import("../app/sessions/logs.ts");
        const { follow = false, json = false } = options;
        exit(
          await logsCommand({ name: name ?? null, step: step ?? null, follow, json }, invocation),
        );
      },
    );
}

function addDrop(sessions: Command, { invocation, exit }: Added): void {
  sessions
    .command("drop <NAME>")
    .description("give up a session that was stopped; what lies uncommitted is put aside")
    .option("--json", "as one JSON object")
    .action(async (name: string, options: { json?: boolean }) => {
      const { dropCommand } = await import("../app/sessions/drop.ts");
      exit(await dropCommand({ name, json: options.json ?? false }, invocation));
    });
}

function addRemove(sessions: Command, { invocation, exit }: Added): void {
  sessions
    .command("rm [NAMES...]")
    .description("remove sessions: their folders, and what git keeps for them")
    .option("--older-than <duration>", "all that ended longer ago, such as 30d", duration)
    .option("--dry-run", "say what would be removed, remove nothing")
    .option("-f, --force", "also those that were cut short")
    .option("--json", "as one JSON object")
    .action(
      async (
        names: string[],
        options: { olderThan?: number; dryRun?: boolean; force?: boolean; json?: boolean },
      ) => {
        const { removeCommand } = await import("../app/sessions/remove.ts");
        const request = {
          names,
          olderThanMs: options.olderThan ?? null,
          dryRun: options.dryRun ?? false,
          force: options.force ?? false,
          json: options.json ?? false,
        };
        exit(await removeCommand(request, invocation));
      },
    );
}

function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms !== null) return ms;
  throw new InvalidArgumentError("write it like 30d, 12h or 1h30m");
}
