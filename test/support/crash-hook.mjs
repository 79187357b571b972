/**
 * Loaded into mmm with `NODE_OPTIONS=--import`: kills it with SIGKILL around the n-th line of the journal.
 *
 * `CRASH_AT=before:17` dies when line 17 is about to be written (what it tells has happened, and nobody
 * knows), `after:17` when it has been, `torn:17` in the middle of it. Children, which inherit the option,
 * are left alone.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [when, line] = (process.env.CRASH_AT ?? "").split(":");
if (when !== "" && process.argv[1]?.endsWith("/dist/main.js")) {
  const { openSync, writeSync } = fs;
  let journal = -1;
  let seen = 0;
  fs.openSync = (file, ...rest) => {
    const fd = openSync(file, ...rest);
    if (String(file).endsWith("/journal.jsonl")) journal = fd;
    return fd;
  };
  fs.writeSync = (fd, ...rest) => {
    if (fd !== journal) return writeSync(fd, ...rest);
    seen += 1;
    const dies = seen === Number(line);
    if (dies && when === "torn") writeSync(fd, rest[0].subarray(0, rest[0].length / 2));
    if (dies && when !== "after") process.kill(process.pid, "SIGKILL");
    const written = writeSync(fd, ...rest);
    if (dies) process.kill(process.pid, "SIGKILL");
    return written;
  };
  syncBuiltinESMExports();
}
