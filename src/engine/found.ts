/** What is found behind a reference: in a value, in a step's record, in an item (spec 3.1). */
import type { Value } from "../values/value.ts";
import type { Found, ItemValues, StepRecord } from "./scope.ts";

export const NULL: Found = { kind: "value", value: null, foreign: false };

/** `null`: it is no name of the loop; an id may be `index`. */
export function ofItem(
  { item, index, total, foreign }: ItemValues,
  name: string,
  rest: readonly (string | number)[],
): Found | null {
  if (name === "item") return { kind: "value", value: dig(item, rest), foreign };
  if (rest.length > 0 || (name !== "index" && name !== "total")) return null;
  return { kind: "value", value: name === "index" ? index : total, foreign: false };
}

export function group(record: StepRecord | null, field: string): Found {
  if (record === null) return NULL;
  return fieldOf(record, field === "attempt" ? "attempts" : field, []);
}

export function fieldOf(
  record: StepRecord,
  field: string,
  rest: readonly (string | number)[],
): Found {
  const declared = record.outputs.get(field);
  if (declared !== undefined && declared !== null) {
    return { kind: "value", value: dig(declared, rest), foreign: true };
  }
  if (record.fileOutputs.has(field)) {
    const idle =
      record.conclusion === "skipped" || (record.conclusion === "succeeded" && !record.changed);
    return idle ? { kind: "nothing-to-do", step: record.id } : NULL;
  }
  switch (field) {
    case "output":
      return fileOrNull(record.outputFile);
    case "stdout":
      return fileOrNull(record.stdoutFile ?? record.outputFile);
    case "stderr":
      return fileOrNull(record.stderrFile);
    default:
      return { kind: "value", value: dig(plainField(record, field), rest), foreign: true };
  }
}

function plainField(record: StepRecord, field: string): Value {
  switch (field) {
    case "exit_code":
      return record.exitCode;
    case "success":
      return record.success;
    case "duration_ms":
      return record.durationMs;
    case "cost_usd":
      return record.costUsd;
    case "attempts":
      return record.attempts;
    case "commits":
      return record.commits.length;
    case "commit":
      return record.commits.at(-1)?.sha ?? null;
    case "files_changed":
      return record.filesChanged;
    case "files_added":
      return record.filesAdded;
    default:
      return null;
  }
}

export function fileOrNull(file: string | null): Found {
  return file === null ? NULL : { kind: "file", file };
}

/** Own properties only: `${x.constructor}` of foreign JSON is null. */
export function dig(value: Value, path: readonly (string | number)[]): Value {
  let here: Value = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null) return null;
    if (!Object.hasOwn(here, key)) return null;
    const inside: unknown = Reflect.get(here, key);
    here = inside as Value; // A Value holds nothing but Values.
  }
  return here;
}
