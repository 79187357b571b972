/** Everything a session needs to be played, checked. */
import type { InputValue } from "../engine/events.ts";
import type { checkReady } from "../git/ready.ts";
import type { RepositoryStart } from "../git/repository.ts";
import type { Playbook } from "../playbook/model.ts";
import type { Plan } from "../playbook/plan-model.ts";
import type { WorktreeRecord } from "../session/worktree-file.ts";
import type { CommandLookup } from "./claude-check.ts";
import type { Config } from "./config.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import type { FoundSecrets } from "./secrets.ts";
import type { PlaybookFile } from "./playbook-file.ts";

export interface Prepared {
  readonly request: CookRequest;
  readonly invocation: Invocation;
  readonly file: PlaybookFile;
  readonly plan: Plan;
  /** The tree that steps run in; of a session that will make a worktree, the one its user stands in. */
  readonly start: RepositoryStart;
  /** The tree the user stood in when the session began. */
  readonly home: RepositoryStart;
  /** Where `.mmm/` lies. */
  readonly mainRoot: string;
  /** `wanted`: it will get one; `null`: in place. */
  readonly worktree: "wanted" | WorktreeRecord | null;
  /** Absolute paths of what mmm itself reads: playbook, parameter files, recordings. */
  readonly ownFiles: readonly string[];
  readonly ready: Awaited<ReturnType<typeof checkReady>>;
  readonly lookup: CommandLookup;
  readonly config: Config;
  /** Absolute path of the directory steps run in. */
  readonly cwd: string;
  readonly commit: Playbook["commit"];
  readonly inputs: readonly InputValue[];
  /** Rejects when git does not know who commits; its turn comes after claude is found (spec 1.1). */
  readonly identity: Promise<void>;
  readonly secrets: FoundSecrets;
}
