/** The official functions with a bound on what they cost, and those about the run (spec 2.5, 11). */
import { BooleanData, Kind, StringData } from "@actions/expressions/data/index";
import { wellKnownFunctions } from "@actions/expressions/funcs";
import type { FunctionDefinition } from "@actions/expressions/funcs/info";
import type { Value } from "../value.ts";
import { type Budget, ConditionTooCostly } from "./budget.ts";
import { type Data, dataOf, valueOf } from "./data.ts";
import { prettyLength } from "./pretty-length.ts";

/** What `success()` and `failure()` answer. */
export interface RunStatus {
  /** No step of this iteration has failed so far, tolerated ones included. */
  readonly success: boolean;
}

/** The evaluator takes these before the library's own. */
export function boundedFunctions(
  budget: Budget,
  { success }: RunStatus,
): Map<string, FunctionDefinition> {
  const before: Readonly<Record<string, (args: readonly Data[]) => void>> = {
    contains: ([where, what]) => containsCost(where, what, budget),
    format: (args) => formatCost(args, budget),
    join: ([list, separator]) => joinCost(list, separator, budget),
  };
  const functions = new Map<string, FunctionDefinition>();
  for (const [name, official] of Object.entries(wellKnownFunctions)) {
    const call = (...args: Data[]): Data => {
      for (const arg of args) budget.work(lengthOf(arg));
      before[name]?.(args);
      return official.call(...args);
    };
    functions.set(name, { ...official, call });
  }
  const own = (name: string, call: (...args: Data[]) => Data): void => {
    functions.set(name, { name, minArgs: 0, maxArgs: 1, description: "", call });
  };
  own("tojson", (value) => toJson(value, budget));
  own("fromjson", (text) => fromJson(text, budget));
  own("success", () => new BooleanData(success));
  own("failure", () => new BooleanData(!success));
  own("always", () => new BooleanData(true));
  return functions;
}

/** Characters of a text; lists and objects are counted where they are gone through. */
export function lengthOf(value: Data | undefined): number {
  return value instanceof StringData ? value.value.length : 0;
}

/** The engine's search shifts by at most 250 characters, whatever the text looked for. */
const SEARCH_SHIFT = 250;

function containsCost(where: Data | undefined, what: Data | undefined, budget: Budget): void {
  const wanted = lengthOf(what);
  if (where?.kind !== Kind.Array) {
    budget.work(lengthOf(where) * Math.ceil(wanted / SEARCH_SHIFT));
    return;
  }
  for (const item of where.values()) budget.work(lengthOf(item) + wanted);
}

/** Its search for braces begins anew at each; and what it makes is bounded before it is made. */
function formatCost([text, ...values]: readonly Data[], budget: Budget): void {
  const format = text?.coerceString() ?? "";
  let braces = 0;
  let size = format.length;
  for (const [brace, index] of format.matchAll(/[{}](?:(?<=\{)(\d{1,9}))?/g)) {
    braces += brace === "" ? 0 : 1;
    budget.work(format.length);
    if (index !== undefined) size += values[Number(index)]?.coerceString().length ?? 0;
  }
  budget.make(size);
}

function joinCost(list: Data | undefined, separator: Data | undefined, budget: Budget): void {
  if (list?.kind !== Kind.Array) return;
  const between = separator?.primitive === true ? separator.coerceString().length : 1;
  let size = 0;
  for (const item of list.values()) size += item.coerceString().length + between;
  budget.make(size);
}

/** The library's own loses a field called `__proto__`. */
function toJson(value: Data | undefined, budget: Budget): Data {
  const plain = value === undefined ? null : valueOf(value);
  budget.make(prettyLength(plain));
  return new StringData(JSON.stringify(plain, null, "  "));
}

/** The library's own cannot take long lists. */
function fromJson(text: Data | undefined, budget: Budget): Data {
  const source = text?.coerceString() ?? "";
  if (source.trim() === "") throw new Error("fromJSON was given an empty text");
  budget.items(source.length / 4);
  let value: Value;
  try {
    value = JSON.parse(source) as Value; // JSON holds nothing but Values.
  } catch (error) {
    if (error instanceof ConditionTooCostly) throw error;
    const start = source.trim().slice(0, 60).replace(/\s+/g, " ");
    throw new Error(`fromJSON was given no JSON: ${JSON.stringify(start)}`, { cause: error });
  }
  return dataOf(value, budget);
}
