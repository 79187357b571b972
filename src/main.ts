#!/usr/bin/env node
// Builds the real world, calls the command line, sets the exit code. No logic.
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runCli } from "./cli/program.ts";
import { reportTrouble } from "./cli/trouble.ts";

declare const MMM_VERSION: string;

const here = path.dirname(fileURLToPath(import.meta.url));
const invocation = {
  cwd: startDirectory(),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  packageRoot: existsSync(path.join(here, "..", "package.json")) ? path.join(here, "..") : here,
  version: MMM_VERSION,
};

// A closed pager is no trouble of ours (`mmm cook | head`).
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
process.on("uncaughtException", (error) => {
  process.exit(reportTrouble(error, invocation));
});

try {
  process.exitCode = await runCli(process.argv.slice(2), invocation);
} catch (error) {
  process.exitCode = reportTrouble(error, invocation);
}

function startDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // The directory was deleted under the shell; the first look at it gives the clear error.
    return process.env["PWD"] ?? "/";
  }
}
