import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // The flag puts it into every new context.

/**
 * Bytes of all buffers that something still holds on to.
 *
 * Collects first: what is garbage but not yet collected differs with the Node version and the machine,
 * and says nothing about what the code keeps. Twice, as what the first run found is freed by a thread
 * beside it, and the second waits for that.
 */
export function heldBytes(): number {
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}
