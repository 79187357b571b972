// Preloaded: writes the address of each module of `dist/` that is loaded, one a line.
import { appendFileSync } from "node:fs";
import { register } from "node:module";
import process from "node:process";
import { isMainThread } from "node:worker_threads";

if (isMainThread) register(import.meta.url);

/** A module hook of node: <https://nodejs.org/api/module.html#loadurl-context-nextload> */
export async function load(url, context, next) {
  if (/\/dist\/[^/]+\.js$/.test(url)) appendFileSync(process.env.MMM_BENCH_MODULES, `${url}\n`);
  return await next(url, context);
}
