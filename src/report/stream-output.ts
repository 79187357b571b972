import type { Output } from "./reporter.ts";

/** The part of `process.stdout` that is needed. */
export interface WritableStream {
  write(text: string): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
  readonly columns?: number;
  readonly rows?: number;
  readonly isTTY?: boolean;
}

/**
 * A stream as {@link Output}. When its reader has gone away (`mmm cook | head`) or the disk is full,
 * `onBroken` hears it once, and later text is dropped: the run itself goes on.
 */
export function streamOutput(stream: WritableStream, onBroken: (error: Error) => void): Output {
  let broken = false;
  const breakOff = (error: Error): void => {
    if (!broken) {
      broken = true;
      onBroken(error);
    }
  };
  // Without a listener a broken pipe is an uncaught exception.
  stream.on("error", breakOff);
  return {
    write: (text) => {
      if (broken) {
        return;
      }
      try {
        stream.write(text);
      } catch (error) {
        breakOff(error instanceof Error ? error : new Error(String(error)));
      }
    },
    get columns() {
      return known(stream.columns);
    },
    get rows() {
      return known(stream.rows);
    },
    isTTY: stream.isTTY === true,
  };
}

/** A terminal that does not know its size says 0. */
function known(size: number | undefined): number | null {
  return size !== undefined && size > 0 ? size : null;
}
