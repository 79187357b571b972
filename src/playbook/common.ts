import type { Range } from "./diagnostic.ts";
import { readHandler, readOnExitCode, readOnSuccess } from "./handlers.ts";
import type { AnalysisOptions, OutputDeclaration, StepCommon } from "./model.ts";
import { readValidation } from "./gates.ts";
import { isFreeName, readOutputs } from "./outputs.ts";
import type { Problems } from "./problems.ts";
import type { Reading, StepPlace } from "./reading.ts";
import { readRetry } from "./retry.ts";
import type { Entries, MappingTree, Tree } from "./tree.ts";
import { RESERVED_IDS } from "../values/names.ts";
import {
  boolOf,
  durationOf,
  listOfTexts,
  optionalText,
  readAnalysis,
  readEnv,
  textOf,
} from "./values-of.ts";

/** The options that every kind has; entries have passed the schema of the step. */
export function readCommon(
  entries: Entries,
  { range, depth, loops }: { readonly range: Range } & Pick<StepPlace, "depth" | "loops">,
  reading: Reading,
): Omit<StepCommon, "label" | "named"> {
  const { onFailure, onExitCode, onSuccess } = readHandlers(entries, { depth, loops }, reading);
  const { id, idRange } = readId(entries, range, reading);
  // Key by key: an object of so many keys, put together from others, takes several times as long.
  const retry = readRetry(entries.get("retry"), reading.problems);
  const { outputs, captureOutput } = readCaptured(entries, reading.problems);
  return {
    id,
    idRange,
    range,
    condition: optionalText(entries, "condition"),
    env: readEnv(entries.get("env")?.value),
    secrets: listOfTexts(entries, "secrets") ?? [],
    workingDir: optionalText(entries, "working_dir"),
    timeoutMs: durationOf(entries, "timeout"),
    retry,
    onFailure,
    onExitCode,
    onSuccess,
    continueOnError: boolOf(entries, "continue_on_error") ?? false,
    commitRequired: boolOf(entries, "commit_required"),
    commitMessage: optionalText(entries, "commit_message"),
    autoCommit: readAutoCommit(entries),
    outputs,
    captureOutput,
    analysis: readOwnAnalysis(entries.get("analysis")?.value),
    validation: readValidation(entries.get("validation")?.value, reading.problems),
  };
}

/** A step's entries over those of `defaults`; `env` is merged name by name. */
export function withDefaults(own: Entries, defaults: Entries): Entries {
  if (defaults.size === 0) return own;
  const merged = new Map([...defaults, ...own]);
  const [mine, theirs] = [own.get("env"), defaults.get("env")];
  if (mine?.value.kind === "mapping" && theirs?.value.kind === "mapping") {
    const entries = new Map([...theirs.value.entries, ...mine.value.entries]);
    const value: MappingTree = { ...mine.value, entries };
    merged.set("env", { key: mine.key, value });
  }
  return merged;
}

type Handlers = Pick<StepCommon, "onFailure" | "onExitCode" | "onSuccess">;

function readHandlers(
  entries: Entries,
  around: Pick<StepPlace, "depth" | "loops">,
  reading: Reading,
): Handlers {
  const at = (key: string) => {
    const entry = entries.get(key);
    if (entry === undefined) return null;
    return { tree: entry.value, where: { ...around, key, keyRange: entry.key.range } };
  };
  const failure = at("on_failure");
  const exitCode = at("on_exit_code");
  const success = at("on_success");
  return {
    onFailure: failure && readHandler(failure.tree, failure.where, reading),
    onExitCode: exitCode ? readOnExitCode(exitCode.tree, exitCode.where, reading) : [],
    onSuccess: success ? readOnSuccess(success.tree, success.where, reading) : [],
  };
}

function readId(
  entries: Entries,
  stepRange: Range,
  { ids, problems }: Reading,
): Pick<StepCommon, "id" | "idRange"> {
  const text = optionalText(entries, "id");
  if (text === null) return { id: null, idRange: stepRange };
  const { value: id, range } = text;
  const first = ids.get(id);
  if (RESERVED_IDS.has(id)) {
    const message = `\`${id}\` cannot be an id: \`\${${id}...}\` means something else`;
    problems.error("reserved-id", range, message, { help: `such as ${id}_step` });
  } else if (first?.start === range.start) {
    const message = `the id \`${id}\` would belong to several steps, through an alias or \`defaults\``;
    problems.error("duplicate-id", range, message, { help: "remove the id here" });
  } else if (first !== undefined) {
    problems.error("duplicate-id", range, `the id \`${id}\` is taken`, {
      help: "each step has an id of its own",
      related: { message: "the first one is here", range: first },
    });
  } else ids.set(id, range);
  return { id, idRange: range };
}

function readAutoCommit(entries: Entries): StepCommon["autoCommit"] {
  const asText = textOf(entries, "auto_commit") ?? "on";
  if (asText === "all") return "all";
  return asText === "off" || asText === "false" ? "off" : "on";
}

/** `capture_output: NAME` is the output NAME with stdout in it. */
function readCaptured(
  entries: Entries,
  problems: Problems,
): Pick<StepCommon, "outputs" | "captureOutput"> {
  const outputs = readOutputs(entries.get("outputs")?.value, problems);
  const captureOutput = boolOf(entries, "capture_output");
  const named = captureOutput === null ? optionalText(entries, "capture_output") : null;
  if (named === null) return { outputs, captureOutput: captureOutput ?? false };
  const { value: name, range } = named;
  isFreeName(name, range, problems);
  const other = outputs.find((output) => output.name === name);
  if (other !== undefined) {
    problems.error("duplicate-output", range, `the output \`${name}\` is declared twice`, {
      related: { message: "the other one is here", range: other.range },
    });
  }
  const rule = { kind: "capture", capture: "text", from: "stdout" } as const;
  const captured: OutputDeclaration = { name, rule, range };
  return { outputs: [...outputs, captured], captureOutput: true };
}

function readOwnAnalysis(tree: Tree | undefined): AnalysisOptions | null {
  if (tree === undefined) return null;
  return tree.kind === "scalar" && tree.value === false ? null : readAnalysis(tree);
}
