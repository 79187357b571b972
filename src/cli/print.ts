import { writeSync } from "node:fs";

const STDOUT = 1;

/**
 * Writes to standard output without its stream, which takes longer to make than a playbook to read (decision 0028). What
 * the descriptor does not take (a full pipe, one that is closed) the stream gets, and all that follows.
 *
 * @param isMade whether there is a stream: what it was told comes first
 */
export function printer(stream: () => NodeJS.WriteStream, isMade: () => boolean) {
  return (text: string): void => {
    let rest = Buffer.from(text);
    try {
      while (rest.length > 0 && !isMade()) rest = rest.subarray(writeSync(STDOUT, rest));
    } catch {
      // It has its own ways with a reader that is slow, or gone.
    }
    if (rest.length > 0) stream().write(rest);
  };
}
