// Preloaded: writes the path of each file of `dist/` that mmm reads to run it, one a line.
import fs from "node:fs";
import process from "node:process";

const { readFileSync } = fs;

/** Both node's loader of its main file and `src/start.ts` read with it. */
fs.readFileSync = (file, ...rest) => {
  // Node 22's loader has addresses.
  const path = String(file).replace(/^file:\/\//, "");
  if (/\/dist\/[^/]+\.c?js$/.test(path))
    fs.appendFileSync(process.env.MMM_BENCH_MODULES, `${path}\n`);
  return readFileSync(file, ...rest);
};
