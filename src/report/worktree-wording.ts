/** A session's worktree, in the words of the original's README (spec 10). */
import type { WorktreeEvent } from "../engine/worktree-event.ts";
import { unreachable } from "../lib/unreachable.ts";
import { complain, say, type Line } from "./line.ts";
import { inline, safeLines } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";

const PATH_COLUMNS = 4000;

const BY = {
  git: "",
  claude: "Claude resolved conflicts, ",
  steps: "by the steps of `merge`, ",
} as const;

export function worktreeWords(event: WorktreeEvent, symbols: Symbols): readonly Line[] {
  const name = inline(event.session);
  switch (event.type) {
    case "worktree-created": {
      const { worktree } = symbols;
      const target = event.target === null ? "a detached HEAD" : inline(event.target, 200);
      return [
        say(`${worktree} Created worktree: ${name} at ${inline(event.path, PATH_COLUMNS)}`),
        say(`   from ${target} at ${inline(event.base.slice(0, 7))}`, "dim", 1),
      ];
    }
    case "worktree-completed":
      return [say(`${symbols.done} Improvements completed in worktree: ${name}`, "good")];
    case "worktree-merged": {
      const by = BY[event.by];
      const into = `${by}into ${inline(event.target, 200)} at ${inline(event.commit.slice(0, 7))}`;
      return [
        say(`${symbols.done} Successfully merged worktree: ${name}`, "good"),
        say(`   ${into}`, "plain", by === "" ? 1 : 0),
      ];
    }
    case "worktree-removed":
      return event.why === "merged"
        ? [say(`   Removed worktree and branch: ${name}`)]
        : [
            say(
              `${symbols.info} Nothing changed, so there is nothing to merge; removed worktree: ${name}`,
            ),
          ];
    case "worktree-kept":
      return kept(event, symbols);
    default:
      return unreachable(event);
  }
}

function kept(
  event: WorktreeEvent & { readonly type: "worktree-kept" },
  { worktree, warning }: Symbols,
): Line[] {
  const where = `${inline(event.session)} at ${inline(event.path, PATH_COLUMNS)}`;
  const next = event.next.map((line) => `     ${inline(line, PATH_COLUMNS)}`);
  if (event.why === null)
    return [say(`${worktree} Preserved worktree: ${where}`), ...next.map((line) => say(line))];
  const [first = "", ...rest] = safeLines(event.why);
  return [
    complain(`${warning} Preserved worktree: ${where}`, "warn"),
    ...[first, ...rest].map((line) => complain(`   ${line}`, "warn")),
    ...next.map((line) => complain(line, "plain")),
  ];
}
