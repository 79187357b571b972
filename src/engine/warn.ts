/** Something to know that is no failure. */
import type { Frame } from "./context.ts";

export function warn({ run, input }: Pick<Frame, "run" | "input">, message: string): void {
  const whose = input === null ? {} : { input: input.index };
  run.sink.event({ type: "note", severity: "warning", message, ...whose });
}
