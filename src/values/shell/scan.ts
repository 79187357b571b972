import { readCommands } from "./scan-commands.ts";
import type { Recogniser } from "./scan-model.ts";
import { Scan } from "./scan-state.ts";

/** Reads a whole text as sh and as bash would. What the two read differently stops it. */
export function scanShell(text: string, recognise: Recogniser): Scan {
  const scan = new Scan(text, recognise, readCommands);
  readCommands(scan, "");
  return scan;
}
