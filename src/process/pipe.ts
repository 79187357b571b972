/**
 * Real pipes for children. Node's own are sockets, which cannot be opened by name: with them
 * `echo x >/dev/stderr` in a script fails (ENXIO), and two streams cannot share one in order.
 */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One `mkfifo` makes that many; what is not in use costs one descriptor, closed in children. */
const BATCH = 8;

/** By this name Linux opens a FIFO again that has lost its own; other systems use each FIFO once. */
const canReopen = existsSync("/proc/self/fd");

/** FIFOs without a name, empty and without a writer, each held by a reading descriptor. */
const spare: number[] = [];
/** After this many failures in a row Node's own pipes have to do: no mkfifo, or no place for FIFOs. */
const MAX_FAILURES = 3;
let failures = 0;

export interface ChildPipe {
  readonly reader: Socket;
  /** For the child; to be closed here once the child has it. */
  readonly writer: number;
}

/** `null`: this system has no FIFOs for us. */
export function openPipe(): ChildPipe | null {
  if (failures >= MAX_FAILURES) return null;
  try {
    const pipe = canReopen ? reopenSpare() : openNamed((name) => openEnds(name));
    failures = 0;
    return pipe;
  } catch {
    // The child runs all the same, with a pipe that cannot be opened by name.
    failures += 1;
    return null;
  }
}

/**
 * A descriptor from which a child reads `text`, to be closed once it has it; or in one sentence why not.
 * A file without a name rather than a pipe: nothing to feed, no EPIPE, and `/dev/stdin` can be opened.
 */
export function openInput(text: string): number | string {
  const place = tmpdir();
  try {
    const directory = mkdtempSync(join(place, "mmm-stdin-"));
    try {
      const file = join(directory, "stdin");
      writeFileSync(file, text, { mode: 0o600 });
      return openSync(file, "r");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `its standard input cannot be put into ${place}: ${reason}; make room or set TMPDIR`;
  }
}

function reopenSpare(): ChildPipe {
  if (spare.length === 0) openNamed((...names) => spare.push(...names.map(openToRead)));
  const keeper = spare.pop();
  if (keeper === undefined) throw new Error("mkfifo made nothing");
  const pipe = openAgain(keeper);
  let isEmpty = false;
  pipe.reader.once("end", () => (isEmpty = true));
  pipe.reader.once("close", () => {
    // After its end a FIFO is as good as new: nobody writes, nothing is left in it.
    if (isEmpty) spare.push(keeper);
    else closeSync(keeper);
  });
  return pipe;
}

function openAgain(keeper: number): ChildPipe {
  try {
    return openEnds(`/proc/self/fd/${keeper}`);
  } catch (error) {
    closeSync(keeper);
    throw error;
  }
}

/** Hands new FIFOs to `open`, after which their names are gone. */
function openNamed<T>(open: (first: string, ...more: string[]) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "mmm-pipe-"));
  try {
    const first = join(directory, "0");
    const more = canReopen
      ? Array.from({ length: BATCH - 1 }, (_, index) => join(directory, String(index + 1)))
      : [];
    execFileSync("mkfifo", ["-m", "600", first, ...more], {
      env: { PATH: `${process.env["PATH"] ?? ""}:/bin:/usr/bin` },
      stdio: "ignore",
    });
    return open(first, ...more);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function openEnds(name: string): ChildPipe {
  const reader = openToRead(name);
  try {
    // The child's end, which may block.
    const writer = openSync(name, constants.O_WRONLY);
    return { reader: new Socket({ fd: reader, readable: true, writable: false }), writer };
  } catch (error) {
    closeSync(reader);
    throw error;
  }
}

/** Without O_NONBLOCK this would wait for a writer. */
function openToRead(name: string): number {
  return openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
}
