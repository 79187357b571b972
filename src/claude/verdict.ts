/**
 * Did the call succeed? (spec 6.2). Pure: decided by how the process ended, by its last `result` event and
 * by what mmm itself did; a model's words are never asked, and the exit code alone means little (a denied
 * tool and an unknown command exit 0, see the table in test/claude/verdict.test.ts).
 */
import type { ClaudeReport } from "../engine/ports.ts";
import type { ProcessEnd } from "../engine/outcome.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { ResultEvent, StreamSummary } from "./event-stream.ts";
import { lasting, troubleOf, type Trouble } from "./result-trouble.ts";

type Verdict = ClaudeReport["verdict"];

export interface Evidence {
  readonly end: ProcessEnd;
  readonly stream: StreamSummary;
  /**
   * What mmm did to the process of its own accord, apart from time limit and Ctrl-C (which are ends):
   * `lingered`: ended it because it went on living after its result, which is no failure;
   * `unknown-command`: ended it before the first model call (spec 6.3);
   * `idle`: ended it because it printed nothing for `idleMs`.
   */
  readonly stopped: "lingered" | "unknown-command" | "idle" | null;
  /** `idle_timeout` in milliseconds, where there was one. */
  readonly idleMs?: number | null;
  /** An `output_schema` was given: an answer that fits it is owed. */
  readonly wantsStructure?: boolean;
  /** When the call ended; a reset "at 3pm" is after it. */
  readonly now: Date;
  /** Name of the slash command without its slash; `null`: the prompt is plain text. */
  readonly command: string | null;
  /** A denied tool is a failure and not just a warning. */
  readonly strictPermissions: boolean;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly warnings: readonly string[];
}

export function judge(evidence: Evidence): Judgement {
  const trouble = firstTrouble(evidence);
  if (trouble !== null) return { verdict: { ok: false, ...trouble }, warnings: [] };
  const denied = evidence.stream.result?.denied ?? [];
  if (denied.length === 0) return { verdict: { ok: true }, warnings: [] };
  const message = `claude was denied ${names(denied)}`;
  if (evidence.strictPermissions)
    return {
      verdict: { ok: false, ...lasting("permission-denied", message, [ALLOW]) },
      warnings: [],
    };
  return { verdict: { ok: true }, warnings: [`${message}; ${ALLOW}`] };
}

const ALLOW = "allow it with allowed_tools, or set another permission_mode";

function firstTrouble(evidence: Evidence): Trouble | null {
  const { end, stream, stopped, command } = evidence;
  if (stopped === "unknown-command") return unknownCommand(command);
  if (stopped === "idle") return idle(evidence.idleMs ?? 0);
  if (stopped === null) {
    const ended = endTrouble(end);
    if (ended !== null) return ended;
  }
  const code = stopped === "lingered" || end.kind !== "exited" ? null : end.code;
  if (stream.result === null) return withoutResult(end, stream);
  const said = troubleOf(stream.result, { ...stream, now: evidence.now });
  if (said !== null) return said;
  if (end.kind === "signalled" && stopped === null)
    return lasting("signal", `claude was ended by ${end.signal}`);
  if (code !== null && code !== 0)
    return lasting("exit-code", `claude exited with ${code} although its result says success`);
  if (!stream.result.calledModel) return withoutModelCall(stream.result, command);
  return evidence.wantsStructure === true && stream.result.structured === null
    ? lasting("no-structured-output", "claude gave no answer that fits output_schema", [
        "say in the prompt that the answer must be given in that form",
      ])
    : null;
}

/** Nothing was heard: the connection or the process hangs (F01); the same call may work the next time. */
function idle(idleMs: number): Trouble {
  const message = `claude was ended after ${idleMs / 1000} s without an event, its idle_timeout`;
  const next = ["raise idle_timeout: when a tool of the step is silent for that long"];
  return { ...lasting("idle", message, next), transient: true };
}

/** Ends after which nothing that was printed counts. */
function endTrouble(end: ProcessEnd): Trouble | null {
  switch (end.kind) {
    case "not-started":
      return lasting("not-started", `claude could not be started: ${end.reason}`, [
        "claude --version says whether it runs at all",
      ]);
    case "timed-out":
      return lasting(
        "timed-out",
        `claude was ended after ${end.afterMs / 1000} s, the step's timeout`,
        ["raise timeout: of the step, or give it less to do"],
      );
    case "cancelled":
      return lasting("cancelled", "claude was ended because mmm was told to stop");
    case "exited":
    case "signalled":
      return null;
    default:
      return unreachable(end);
  }
}

/** A program without events is judged by its exit code; one with events owes a result. */
function withoutResult(end: ProcessEnd, stream: StreamSummary): Trouble | null {
  const ended =
    end.kind === "signalled"
      ? `ended by ${end.signal}`
      : `exit ${end.kind === "exited" ? end.code : "?"}`;
  if (stream.events === 0 && stream.cutLines === 0) {
    if (end.kind === "signalled") return lasting("signal", `claude was ${ended}`);
    if (end.kind === "exited" && end.code === 0) return null;
    return lasting("exit-code", `claude failed: ${ended}`);
  }
  const why =
    stream.cutLines > 0
      ? `; ${stream.cutLines} of its lines were too long to be read`
      : stream.brokenEnd
        ? "; its last line is cut off"
        : "";
  return lasting("no-result", `claude stopped without a result (${ended})${why}`);
}

/** The command ran locally or was not resolved: nothing was asked of a model, so nothing was done. */
function withoutModelCall(result: ResultEvent, command: string | null): Trouble {
  const text = result.text ?? "";
  if (/^Unknown (slash )?command\b/.test(text)) return unknownCommand(command);
  return lasting(
    "no-model-call",
    `claude never called a model${command === null ? "" : ` for /${command}`}${text === "" ? "" : `: ${firstLine(text)}`}`,
    command === null
      ? []
      : [
          `look at the file of /${command}: a !\`command\` in it may fail, it may not be invocable by users, or it is a built-in that needs a terminal`,
        ],
  );
}

function unknownCommand(command: string | null): Trouble {
  return lasting("unknown-command", `claude knows no command /${command ?? "?"}`, [
    `add .claude/commands/${(command ?? "name").replaceAll(":", "/")}.md, or correct the name`,
    "mmm init installs the mmm-* commands",
  ]);
}

function names(tools: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const tool of tools) counts.set(tool, (counts.get(tool) ?? 0) + 1);
  return [...counts].map(([tool, n]) => (n === 1 ? tool : `${tool} (${n} times)`)).join(", ");
}

function firstLine(text: string): string {
  const line = text.trim().split("\n")[0] ?? "";
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
