// Builds the real world, calls the command line, sets the exit code. No logic.
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import type { Invocation } from "./app/cook-request.ts";
import { printer } from "./cli/print.ts";
import { runCli } from "./cli/program.ts";
import { reportTrouble } from "./cli/trouble.ts";

declare const MMM_VERSION: string;

const here = import.meta.dirname;
let isSpeaking = false;
const invocation: Invocation = {
  cwd: startDirectory(),
  env: process.env,
  // A stream costs a millisecond to make, and most runs have nothing to say on the second.
  get stdout() {
    isSpeaking = true;
    return unhurt(process.stdout);
  },
  get stderr() {
    return unhurt(process.stderr);
  },
  print: printer(
    () => invocation.stdout,
    () => isSpeaking,
  ),
  packageRoot: existsSync(path.join(here, "..", "package.json")) ? path.join(here, "..") : here,
  version: MMM_VERSION,
};

process.on("uncaughtException", (error) => {
  process.exit(reportTrouble(error, invocation));
});

void run();

async function run(): Promise<void> {
  try {
    process.exitCode = await runCli(process.argv.slice(2), invocation);
  } catch (error) {
    process.exitCode = reportTrouble(error, invocation);
  }
}

/** A closed pager is no trouble of ours (`mmm cook | head`). */
function unhurt(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (stream.listenerCount("error", ignored) === 0) stream.on("error", ignored);
  return stream;
}

function ignored(): void {}

function startDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // The directory was deleted under the shell; the first look at it gives the clear error.
    return process.env["PWD"] ?? "/";
  }
}
