import { handlerKeys } from "../steps/options.ts";
import { check, unknownKey } from "./check.ts";
import type { Range } from "./diagnostic.ts";
import type { FailureHandler, Step } from "./model.ts";
import { MAX_HANDLER_DEPTH, type Reading } from "./reading.ts";
import { readList } from "./step-list.ts";
import { describe, type Entries, type MappingTree, type Tree } from "./tree.ts";
import { boolOf, numberOf } from "./values-of.ts";

const KEYS = Object.keys(handlerKeys);
const BESIDE = ["do", ...KEYS];

/** Runs of a failing step when its handler has steps and says nothing (spec 2.3). */
const MAX_ATTEMPTS = 3;

interface At {
  /** Of the step that has the handler. */
  readonly depth: number;
  readonly loops: number;
  /** `on_failure`, for messages. */
  readonly key: string;
  readonly keyRange: Range;
}

/** `on_failure` and each value of `on_exit_code`, in every form (spec 2.3). */
export function readHandler(tree: Tree, at: At, reading: Reading): FailureHandler | null {
  if (tooDeep(at, reading)) return null;
  if (tree.kind === "mapping") return readMapping(tree, at, reading);
  const steps = readSteps(tree, at, reading);
  return { steps, maxAttempts: MAX_ATTEMPTS, failWorkflow: true, range: tree.range };
}

/** `on_success`: a step, or a list of them. */
export function readOnSuccess(tree: Tree, at: At, reading: Reading): readonly Step[] {
  return tooDeep(at, reading) ? [] : readSteps(tree, at, reading);
}

/** `on_exit_code: {101: HANDLER}`. */
export function readOnExitCode(
  tree: Tree,
  at: At,
  reading: Reading,
): readonly { readonly code: number; readonly handler: FailureHandler }[] {
  const { problems } = reading;
  if (tree.kind !== "mapping") {
    const message = `\`on_exit_code\` must be a mapping, not ${describe(tree)}`;
    problems.error("wrong-type", tree.range, message, { help: "as in {101: {shell: ./repair}}" });
    return [];
  }
  return [...tree.entries].flatMap(([name, { key, value }]) => {
    const code = /^\d{1,3}$/.test(name) ? Number(name) : -1;
    const isCode = code >= 1 && code <= 255;
    if (!isCode) {
      const message = `an exit code in \`on_exit_code\` must be from 1 to 255, not \`${name}\``;
      const help = code === 0 ? { help: "0 is success: use `on_success`" } : {};
      problems.error("bad-exit-code", key.range, message, help);
    }
    const inner = { ...at, key: `on_exit_code.${name}`, keyRange: key.range };
    const handler = readHandler(value, inner, reading);
    return isCode && handler !== null ? [{ code, handler }] : [];
  });
}

function tooDeep({ depth, key, keyRange }: At, { problems }: Reading): boolean {
  if (depth < MAX_HANDLER_DEPTH) return false;
  const message = `\`${key}\` is nested deeper than ${MAX_HANDLER_DEPTH} handlers`;
  problems.error("handlers-too-deep", keyRange, message, {
    help: "put the inner steps into a script and call it",
  });
  return true;
}

function readSteps(tree: Tree, at: At, reading: Reading): readonly Step[] {
  const within = { depth: at.depth + 1, loops: at.loops };
  return readList(tree, { key: at.key, within }, reading);
}

/** `{do, max_attempts, fail_workflow}`, or one step with the two keys beside its own. */
function readMapping(tree: MappingTree, at: At, reading: Reading): FailureHandler {
  const own: Entries = new Map([...tree.entries].filter(([key]) => KEYS.includes(key)));
  const rest: Entries = new Map([...tree.entries].filter(([key]) => !KEYS.includes(key)));
  const { range } = tree;
  const sound = check({ entries: own, range, what: at.key }, handlerKeys, reading.problems);
  const steps = readRest(rest, tree, { at, reading });
  const maxAttempts = numberOf(sound, "max_attempts") ?? (rest.size > 0 ? MAX_ATTEMPTS : 1);
  return { steps, maxAttempts, failWorkflow: boolOf(sound, "fail_workflow") ?? true, range };
}

function readRest(
  rest: Entries,
  tree: MappingTree,
  { at, reading }: { readonly at: At; readonly reading: Reading },
): readonly Step[] {
  const steps = rest.get("do")?.value;
  // A loop that is the handler has a `do` of its own.
  if (steps !== undefined && !rest.has("foreach")) {
    for (const key of rest.keys()) {
      if (key !== "do") unknownKey({ key, entries: rest, allowed: BESIDE }, reading.problems);
    }
    return readSteps(steps, { ...at, key: `${at.key}.do` }, reading);
  }
  if (rest.size === 0) {
    if (tree.entries.size === 0) {
      reading.problems.error("no-steps", tree.range, `\`${at.key}\` is empty`, {
        help: "write a step, a list of steps, or `fail_workflow: false`",
      });
    }
    return [];
  }
  const step = reading.readStep(
    { ...tree, entries: rest },
    { depth: at.depth + 1, loops: at.loops, beside: BESIDE },
  );
  return step === null ? [] : [step];
}
