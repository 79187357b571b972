import { NO_OPTIONS } from "./lint-program.ts";
import { commandIndex, isOption, nameOf } from "./lint-words.ts";
import type { Reference } from "../reference.ts";
import { HOLE } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";

/** Where a value that looks like an option would be read as one. */
export interface OptionPlace {
  readonly program: string;
  /** The word before is an option and probably takes the value as its argument. */
  readonly afterOption: boolean;
}

/** The references whose values begin an argument that its program may read as an option. */
export function optionPlaces(scan: Scan): Map<Reference, OptionPlace> {
  const places = new Map<Reference, OptionPlace>();
  for (const command of scan.commands) {
    const { words } = command;
    const index = commandIndex(words);
    const program = nameOf(words[index]);
    if (command.kind !== "simple" || NO_OPTIONS.has(program)) continue;
    for (const [at, word] of words.entries()) {
      if (word.literal === "--") break;
      const site = word.sites[0];
      if (at === 0 || site === undefined || !word.literal.startsWith(HOLE)) continue;
      places.set(site.reference, { program, afterOption: isOption(words[at - 1]) });
    }
  }
  return places;
}

/** True for `-r`, `--force`, `-1`; not for `- item` and `---`, which texts begin with. */
export function looksLikeOption(value: string): boolean {
  return /^--?[A-Za-z0-9?@#]/.test(value);
}
