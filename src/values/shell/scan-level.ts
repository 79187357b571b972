import type { Heredoc } from "./scan-heredoc.ts";
import type { Command, Scan } from "./scan-state.ts";

/** What one list of commands (`$( )`, `( )`, the text) has open. */
export interface Level {
  readonly close: string;
  readonly pending: Heredoc[];
  readonly cases: { inPattern: boolean; begun: boolean }[];
  /** For each open compound command: the site index at which its pipeline began. */
  readonly blocks: number[];
  command: Command | null;
  /** What feeds the next command through a pipe. */
  piped: Command["piped"];
  /** Index of the first site of the pipeline under way. */
  pipeline: number;
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
    compound: false,
  };
}
