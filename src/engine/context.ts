/** What one run carries along: the plan, the ports, and the frame of the iteration that is under way. */
import type { Plan, PlannedStep } from "../playbook/plan-model.ts";
import type { Budget } from "./budget.ts";
import type { EventSink, InputValue } from "./events.ts";
import type { GoneOver } from "./gone-over.ts";
import type { Ports, TreeLook, TreePoint } from "./ports.ts";
import type { Undone } from "./restore-line.ts";
import type { Scope } from "./scope.ts";

interface SessionFacts {
  /** `mmm-<stem>-<unix seconds>` (spec 7). */
  readonly id: string;
  /** The playbook as the user named it. */
  readonly playbook: string;
  /** Absolute path of the directory steps run in. */
  readonly cwd: string;
  /** `null`: in place. */
  readonly worktree: string | null;
  readonly directory: string;
  /** How the user calls git here from where mmm was started: `git`, or `git -C DIR`. */
  readonly git: string;
  /** The same for the tree that a session with a worktree is merged into; in place: this one. */
  readonly home: string;
  readonly version: string;
  /** The recording that stands in for Claude. */
  readonly replay: string | null;
  /** The environment mmm was started in, for `env.X`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Of the session; empty without `secrets:`. */
interface RunSecrets {
  /** By the name of the variable that children get. */
  readonly values: ReadonlyMap<string, string>;
  /** A text with `***` for secrets; to be called before a text is cut, since a piece is not known again. */
  readonly mask: (text: string) => string;
}

interface RunOptions {
  /** `off` (spec 5): no commits and no rollback. */
  readonly commit: "auto" | "off";
  readonly rollback: boolean;
  readonly failFast: boolean;
  /** Steps of `merge`: a conflict is left to the steps that come after it. */
  readonly merging?: boolean;
}

export interface Run {
  readonly plan: Plan;
  readonly ports: Ports;
  readonly sink: EventSink;
  readonly signal: AbortSignal;
  readonly facts: SessionFacts;
  readonly options: RunOptions;
  readonly secrets: RunSecrets;
  /** What may be spent, and what was. */
  readonly budget: Budget;
  /** Commits whose `commit-made` event is out; one made in a handler belongs to the step around it too. */
  readonly toldCommits: Set<string>;
  /** Names the files of an attempt of the step with this path; unique in the session. */
  readonly nextUnit: (path: string) => string;
  /** Names the files of a further run of an attempt. @param times from 2 */
  readonly runUnit: (unit: string, times: number) => string;
  /** The end of the session says how it is brought back. */
  readonly tellUndone: (undone: Undone) => void;
  /** Counts an iteration of the past; `null`: it has to be gone through. */
  readonly goOver: (iteration: number) => GoneOver | null;
  /** Nothing is answered from the past any more. */
  readonly isLive: () => boolean;
  /** Keeps and undoes what a run that a limit has cut short left in the tree: it is made again. */
  readonly startOver: () => Promise<void>;
  /** What a step means, shortened: the same for the same step of an unchanged playbook (spec 7). */
  readonly meaningOf: (planned: PlannedStep) => string;
}

/** One pass over the steps. `look` is the newest sight of the tree; whoever changes the tree replaces it. */
export interface Frame {
  readonly run: Run;
  readonly iteration: number;
  readonly input: InputValue | null;
  readonly scope: Scope;
  readonly start: { readonly look: TreeLook; readonly point: TreePoint };
  look: TreeLook;
  /** The tree as the innermost item began; `null`: no loop is at work. */
  item: { readonly look: TreeLook; readonly point: TreePoint } | null;
  /** Specs that Claude steps added in this iteration, oldest first; `used` were handed out. */
  readonly specs: { readonly path: string; used: boolean }[];
}

/** Same HEAD and same files as when the iteration (or the item of a loop) began (spec 4, "Stops")? */
export async function isUnchanged(frame: Frame, start = frame.start): Promise<boolean> {
  const { look, run } = frame;
  if (look.head !== start.look.head) return false;
  if (look.changes.length === 0 && start.look.changes.length === 0) return true;
  return run.ports.tree.sameTree(start.point, look);
}

/** A point to come back to; under `commit: off` a snapshot commit stands for it (spec 5). */
export async function markTree(run: Run, look: TreeLook): Promise<TreePoint> {
  return run.options.commit === "off" ? run.ports.tree.snapshot() : run.ports.tree.mark(look);
}

/** What a run is given from outside; the rest the engine makes. */
export type GivenRun = Omit<
  Run,
  | "sink"
  | "nextUnit"
  | "runUnit"
  | "tellUndone"
  | "isLive"
  | "goOver"
  | "startOver"
  | "toldCommits"
  | "budget"
>;
