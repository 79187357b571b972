/** A unit begins again, from the tree it began on (spec 7): told, with the line that brings back what it had left. */
import type { Run } from "./context.ts";
import type { Lane, Recorder } from "./lane.ts";
import type { TellRestart } from "./lane-ports.ts";
import type { Undone } from "./restore-line.ts";

export function restartTeller({
  recorder,
  lane,
  git,
  tellUndone,
}: Pick<Run["facts"], "git"> & {
  readonly recorder: Recorder;
  readonly lane: Lane;
  readonly tellUndone: (undone: Undone) => void;
}): TellRestart {
  return ({ point, kept, paths, why }) => {
    const whose = lane.input === null ? {} : { input: lane.input };
    const back = { head: point.head, kept, files: paths, why, ...whose };
    recorder.event({ type: "unit-restarted", ...back }, { lane: null, late: false });
    const start = point.tree ?? point.head;
    tellUndone({ kept, start, paths, git, input: null });
  };
}
