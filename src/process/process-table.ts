/**
 * What runs on this machine, and which of it is ours.
 *
 * A process is named by pid and start time, so that a reused pid is never taken for ours. Ours carry
 * `MMM_UNIT` in their environment; it outlives a double fork and `setsid`, which parent and group do not.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";

import type { ProcessIdentity } from "../engine/ports.ts";

/** The variable that marks every child; the value is `<id of this mmm>.<number of the child>`. */
export const UNIT_VARIABLE = "MMM_UNIT";

export interface ProcessRow extends ProcessIdentity {
  readonly parent: number;
  /** Session id; where the system does not tell (`ps` on macOS), the process group. */
  readonly session: number;
  /** Exited, waiting for its parent to notice: nothing is left to end. */
  readonly zombie: boolean;
}

export interface ProcessTable {
  list(): readonly ProcessRow[];
  /** Those of `identities` that still live, by pid and start time. */
  alive(identities: readonly ProcessIdentity[]): readonly ProcessRow[];
  /** `MMM_UNIT` of those processes that have one and let us read it. */
  unitsOf(rows: readonly ProcessRow[]): ReadonlyMap<number, string>;
  /** Of a child that was started just now. */
  identify(pid: number): ProcessIdentity;
  /** Was `row` started before `other`? When the clock is too coarse to tell: no. */
  isOlder(row: ProcessIdentity, other: ProcessIdentity): boolean;
}

/** A long session had thousands of children: asking for each that is gone takes longer than one list. */
const MANY = 64;

function livingOf(identities: readonly ProcessIdentity[]): readonly ProcessIdentity[] {
  if (identities.length < MANY) return identities;
  const here = new Set(readdirSync("/proc"));
  return identities.filter(({ pid }) => here.has(String(pid)));
}

/** `/proc` where there is one, else `ps`. */
export function systemProcessTable(): ProcessTable {
  return existsSync("/proc/self/stat") ? procTable : psTable;
}

/** Reads `/proc`: microseconds a process, nothing is started. */
export const procTable: ProcessTable = {
  list: () =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => readStat(Number(name)))
      .filter((row) => row !== null),
  alive: (identities) =>
    livingOf(identities)
      .map((identity) => ({ identity, row: readStat(identity.pid) }))
      .filter(({ identity, row }) => row?.startTime === identity.startTime)
      .map(({ row }) => row)
      .filter((row) => row !== null && !row.zombie) as ProcessRow[],
  unitsOf: (rows) => {
    const units = new Map<number, string>();
    for (const { pid } of rows) {
      const unit = /(?:^|\0)MMM_UNIT=([^\0]*)/.exec(readText(`/proc/${pid}/environ`) ?? "")?.[1];
      if (unit !== undefined) units.set(pid, unit);
    }
    return units;
  },
  // A child stays readable, if only as a zombie, until the event loop turns.
  identify: (pid) => ({ pid, startTime: readStat(pid)?.startTime ?? "0" }),
  isOlder: (row, other) => Number(row.startTime) < Number(other.startTime),
};

/** `lstart` has whole seconds, and our own clock was read a little after the start. */
const PS_SLACK_MS = 2000;

/** For systems without `/proc`. One `ps` a question, none when a child starts. */
export const psTable: ProcessTable = {
  list: () =>
    ps(["-A", "-o", "pid=,ppid=,pgid=,stat=,lstart="])
      .map(parsePsLine)
      .filter((row) => row !== null),
  alive: (identities) => {
    const rows = new Map(psTable.list().map((row) => [row.pid, row]));
    return identities
      .map((identity) => ({ identity, row: rows.get(identity.pid) }))
      .filter(({ identity, row }) => row !== undefined && !row.zombie && near(identity, row))
      .map(({ row }) => row)
      .filter((row) => row !== undefined);
  },
  unitsOf: (rows) => {
    const wanted = new Set(rows.map((row) => row.pid));
    const units = new Map<number, string>();
    // BSD style, without a dash: `e` appends the environment to the command.
    for (const line of ps(["axeww", "-o", "pid=,command="])) {
      const [, pid, unit] = /^\s*(\d+) .*\sMMM_UNIT=(\S*)/.exec(line) ?? [];
      if (unit !== undefined && wanted.has(Number(pid))) units.set(Number(pid), unit);
    }
    return units;
  },
  identify: (pid) => ({ pid, startTime: new Date().toISOString() }),
  isOlder: (row, other) => Date.parse(row.startTime) < Date.parse(other.startTime) - PS_SLACK_MS,
};

function readStat(pid: number): ProcessRow | null {
  const text = readText(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  const [state, parent, , session] = fields;
  const startTime = fields[19];
  if (startTime === undefined) return null;
  return {
    pid,
    startTime,
    parent: Number(parent),
    session: Number(session),
    zombie: state === "Z" || state === "X",
  };
}

/** `null`: the process is gone, or not ours to read. */
function readText(file: string): string | null {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return null;
  }
}

function ps(args: readonly string[]): string[] {
  const text = execFileSync("ps", args, {
    encoding: "latin1",
    env: { PATH: `${process.env["PATH"] ?? ""}:/bin:/usr/bin`, LC_ALL: "C", TZ: "UTC" },
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 10_000,
  });
  return text.split("\n").filter((line) => line.trim() !== "");
}

function parsePsLine(line: string): ProcessRow | null {
  const [pid, parent, group, state = "", ...started] = line.trim().split(/\s+/);
  const at = Date.parse(`${started.join(" ")} UTC`);
  if (group === undefined || Number.isNaN(at)) return null;
  return {
    pid: Number(pid),
    startTime: new Date(at).toISOString(),
    parent: Number(parent),
    session: Number(group),
    zombie: state.startsWith("Z"),
  };
}

function near(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return Math.abs(Date.parse(one.startTime) - Date.parse(other.startTime)) <= PS_SLACK_MS;
}
