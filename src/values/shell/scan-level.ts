import type { Heredoc } from "./scan-heredoc.ts";
import type { Command } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";

/** What one list of commands (`$( )`, `( )`, the text) has open. */
export interface Level {
  readonly close: string;
  readonly pending: Heredoc[];
  readonly cases: { inPattern: boolean; begun: boolean }[];
  /** For each open compound command: where its pipeline began. */
  readonly blocks: { readonly pipeline: number; readonly pipelineAt: number }[];
  command: Command | null;
  /** What feeds the next command through a pipe. */
  piped: Command["piped"];
  /** Index of the first site of the pipeline under way. */
  pipeline: number;
  /** Offset at which it began. */
  pipelineAt: number;
  /** A compound command has just ended: only redirections, operators and reserved words may follow. */
  compound: boolean;
}

export function newLevel(scan: Scan, close: string): Level {
  return {
    close,
    pending: [],
    cases: [],
    blocks: [],
    command: null,
    piped: null,
    pipeline: scan.sites.length,
    pipelineAt: scan.pos,
    compound: false,
  };
}
