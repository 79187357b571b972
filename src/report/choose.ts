/** Which reporter and how many colours, decided once from the surroundings (spec 1, 10). */
import type { ReporterKind } from "./reporter.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** `flag` is `--reporter`. Movement only where a person watches: not in CI, not on a dumb terminal. */
export function chooseReporter(from: {
  readonly isTTY: boolean;
  readonly flag: ReporterKind | null;
  readonly env: Environment;
}): ReporterKind {
  if (from.flag !== null) {
    return from.flag;
  }
  const moves = from.isTTY && !isSet(from.env["CI"]) && from.env["TERM"] !== "dumb";
  return moves ? "pretty" : "plain";
}

/**
 * chalk's level. chalk 5 ignores `NO_COLOR` on a terminal and takes an empty `FORCE_COLOR` for yes, so
 * it is computed here: a non-empty `NO_COLOR` always wins, then `FORCE_COLOR`, then the terminal.
 */
export function chooseColor(from: {
  readonly isTTY: boolean;
  readonly env: Environment;
}): ColorLevel {
  const { env } = from;
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") {
    return 0;
  }
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") {
    return forcedLevel(forced, env);
  }
  return from.isTTY ? terminalLevel(env) : 0;
}

/** 0 none, 1 the basic 16, 2 256 colours, 3 16 million. */
export type ColorLevel = 0 | 1 | 2 | 3;

function forcedLevel(value: string, env: Environment): ColorLevel {
  switch (value) {
    case "0":
    case "false":
      return 0;
    case "1":
      return 1;
    case "2":
      return 2;
    case "3":
      return 3;
    default:
      return atLeastOne(terminalLevel(env));
  }
}

function terminalLevel(env: Environment): ColorLevel {
  const term = env["TERM"] ?? "";
  if (term === "dumb") {
    return 0;
  }
  if (env["COLORTERM"] === "truecolor" || env["COLORTERM"] === "24bit") {
    return 3;
  }
  return /-256(?:color)?$/.test(term) ? 2 : 1;
}

function atLeastOne(level: ColorLevel): ColorLevel {
  return level === 0 ? 1 : level;
}

/** `CI=false` and `CI=0` are how people say no. */
function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "false" && value !== "0";
}
