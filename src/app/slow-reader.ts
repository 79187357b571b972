/** Standard output as somebody who may read slowly: node keeps in memory what a pipe does not take. */
import type { Reader } from "../process/shell-port.ts";

/** What may wait in memory; screens full of it. */
const BACKLOG_BYTES = 256 * 1024;
/** A reader that stands still slows a step down by no more than this for each chunk. */
const PATIENCE_MS = 1000;

export function readerOf(stream: NodeJS.WriteStream): Reader {
  return {
    isBehind: () => stream.writableLength > BACKLOG_BYTES && !stream.destroyed,
    catchUp: async () =>
      new Promise((resolve) => {
        const timer = setTimeout(go, PATIENCE_MS);
        stream.once("drain", go);
        stream.once("close", go);
        function go(): void {
          clearTimeout(timer);
          stream.off("drain", go);
          stream.off("close", go);
          resolve();
        }
      }),
  };
}
