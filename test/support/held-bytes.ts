import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // The flag puts it into every new context.

/**
 * Bytes of all buffers that something still holds on to.
 *
 * Collects first: what is garbage but not yet collected differs with the Node version and the machine,
 * and says nothing about what the code keeps.
 */
export function heldBytes(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}
