/** Who holds something on disk, named so that it can be told whether he still lives (spec 7). */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

export interface Holder {
  readonly pid: number;
  /** When the process started, as the system tells it: a reused pid has another one; `""`: unknown. */
  readonly start: string;
  /** Changes with each start of the machine, when pids and `start` count anew; `""`: unknown. */
  readonly boot: string;
  readonly host: string;
}

/** This process. */
export function ownHolder(): Holder {
  return {
    pid: process.pid,
    start: startOf(process.pid) ?? "",
    boot: bootId(),
    host: hostname(),
  };
}

/** What was read from a file; `null`: no holder that mmm has written. `boot` may be missing: 0.1.0. */
export function holderIn(value: unknown): Holder | null {
  if (typeof value !== "object" || value === null) return null;
  const { pid, start, boot, host } = value as Partial<Holder>; // Each field is checked here.
  if (typeof pid !== "number" || typeof start !== "string" || typeof host !== "string") return null;
  return { pid, start, host, boot: typeof boot === "string" ? boot : "" };
}

/** On another host one cannot look; it is believed. Clocks do not matter. */
export function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  if (isOfEarlierBoot(holder)) return false;
  // 0 and less name groups, mmm's own among them.
  if (!Number.isSafeInteger(holder.pid) || holder.pid < 1) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: alive, and somebody else's.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  const start = startOf(holder.pid);
  return start === null || holder.start === "" || start === holder.start;
}

/** The machine was started again since: nothing of his runs, whatever has his pid now. */
export function isOfEarlierBoot({ host, boot }: Holder): boolean {
  const now = bootId();
  return host === hostname() && boot !== "" && now !== "" && boot !== now;
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    // Where start times are dates one does without.
    return "";
  }
}

const GONE = "gone";

/** `null`: the system does not say. */
function startOf(pid: number): string | null {
  return existsSync("/proc/self/stat") ? startInProc(pid) : startByPs(pid);
}

/** Field 22 of `/proc/PID/stat`: clock ticks after boot. */
function startInProc(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command's name stands in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // Nobody has fetched its end yet: there is nothing left that works.
    if (/^[ZXx]$/.test(fields[0] ?? "")) return GONE;
    return fields[19] ?? null;
  } catch {
    return null;
  }
}

function startByPs(pid: number): string | null {
  try {
    const env = { PATH: `${process.env["PATH"] ?? ""}:/bin:/usr/bin`, LC_ALL: "C", TZ: "UTC" };
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "latin1",
      env,
    });
    return text.trim() === "" ? null : text.trim();
  } catch {
    return null;
  }
}
