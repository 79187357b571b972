/** `mmm worktree` and its words; each loads its code when it runs. */
import type { Command } from "commander";
import type { Invocation } from "../app/cook-request.ts";

interface Added {
  readonly invocation: Invocation;
  readonly exit: (code: number) => void;
}

export function addWorktree(program: Command, invocation: Invocation, exit: Added["exit"]): void {
  const worktree = program
    .command("worktree")
    .description("worktrees of `mmm cook --worktree`: ls, merge, clean")
    // Not a word of it does something by itself: what there is is shown.
    .action(() => worktree.outputHelp());
  worktree
    .command("ls")
    .description("list them, newest first")
    .option("--json", "as one JSON array")
    .action(async (options: { json?: boolean }) => {
      const { listCommand } = await import("../app/worktree/list.ts");
      exit(await listCommand({ json: options.json ?? false }, invocation));
    });
  worktree
    .command("merge [NAME]")
    .description("merge one into the branch it began on, and remove it")
    .option("--all", "all that are completed; goes on after one that cannot be merged")
    .action(async (name: string | undefined, options: { all?: boolean }) => {
      const { mergeCommand } = await import("../app/worktree/merge-command.ts");
      exit(await mergeCommand({ name: name ?? null, all: options.all ?? false }, invocation));
    });
  worktree
    .command("clean [NAME]")
    .description("remove one: folder, branch and git's record")
    .option("--all", "all of them")
    .option("--merged", "those that are merged")
    .option("-f, --force", "also with work that is nowhere else")
    .action(
      async (
        name: string | undefined,
        options: { all?: boolean; merged?: boolean; force?: boolean },
      ) => {
        const { cleanCommand } = await import("../app/worktree/clean-command.ts");
        const { all = false, merged = false, force = false } = options;
        exit(await cleanCommand({ name: name ?? null, all, merged, force }, invocation));
      },
    );
}
