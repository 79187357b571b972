import { createHash } from "node:crypto";
import type { Run } from "../engine/context.ts";
import { meaningOf } from "../playbook/meaning.ts";
import type { WorktreeRecord } from "../session/worktree-file.ts";
import type { Prepared } from "./prepared.ts";
import { gitFrom } from "./world.ts";

/** What the engine has to know that is no port. */
export function runOf(
  prepared: Pick<
    Prepared,
    | "plan"
    | "request"
    | "cwd"
    | "commit"
    | "invocation"
    | "file"
    | "start"
    | "home"
    | "worktree"
    | "secrets"
  >,
  opened: { readonly name: string; readonly directory: string },
) {
  const { plan, request, cwd, commit, invocation } = prepared;
  const meanings = new Map<Parameters<Run["meaningOf"]>[0], string>();
  return {
    plan,
    facts: {
      id: opened.name,
      playbook: prepared.file.shown,
      cwd,
      worktree: worktreeOf(prepared)?.name ?? null,
      directory: opened.directory,
      git: gitFrom(invocation.cwd, prepared.start.root),
      home: gitFrom(invocation.cwd, prepared.home.root),
      version: invocation.version,
      replay: request.replay,
      environment: invocation.env,
    },
    options: { commit, rollback: request.rollback, failFast: request.failFast },
    secrets: {
      values: prepared.secrets.values,
      mask: (text: string) => prepared.secrets.redactor.text(text),
    },
    meaningOf: (planned: Parameters<Run["meaningOf"]>[0]) => {
      const known = meanings.get(planned) ?? shortMeaning(meaningOf(planned.step, plan.playbook));
      meanings.set(planned, known);
      return known;
    },
  };
}

/** `null`: in place. */
export function worktreeOf({ worktree }: Pick<Prepared, "worktree">): WorktreeRecord | null {
  return worktree === "wanted" ? null : worktree;
}

/** Enough to tell two steps apart, short enough for a line of the journal. */
export function shortMeaning(meaning: string): string {
  return createHash("sha256").update(meaning).digest("hex").slice(0, 16);
}
