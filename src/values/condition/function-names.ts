/** The functions of a condition (spec 2.5): those of the official library, and three about the run. */

/** Of the run; without arguments. */
export const STATUS_FUNCTIONS = ["success", "failure", "always"].map((name) => ({
  name,
  description: "",
  minArgs: 0,
  maxArgs: 0,
}));

/** As they are written, by their name in small letters: case does not matter. */
export const FUNCTION_NAMES: ReadonlyMap<string, string> = new Map(
  [
    "contains",
    "startsWith",
    "endsWith",
    "format",
    "join",
    "fromJSON",
    "toJSON",
    "case",
    "success",
    "failure",
    "always",
  ].map((name) => [name.toLowerCase(), name] as const),
);
