/**
 * Loaded into mmm with `NODE_OPTIONS=--import`: a nap of 20 s or more is over at once, and the clock on the wall has
 * moved on by it. Children, which inherit the option, are left alone.
 */
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";

const LONG_MS = 20_000;

if (process.argv[1]?.endsWith("/dist/main.js")) {
  const { setTimeout: nap } = timers;
  const { now } = Date;
  let ahead = 0;
  Date.now = () => now() + ahead;
  timers.setTimeout = (ms, ...rest) => {
    if (ms < LONG_MS) return nap(ms, ...rest);
    ahead += ms;
    return nap(1, ...rest);
  };
  syncBuiltinESMExports();
}
