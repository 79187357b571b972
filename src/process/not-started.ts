/** Why a child cannot be started, in one sentence each: `reason` of the `not-started` end. */
import { accessSync, constants, statSync } from "node:fs";

/** What is about to be started, as the operating system will see it. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Trouble that can be told before the start; `null`: none. */
export function troubleBeforeStart(launch: Launch): string | null {
  if (hasNul(launch.command)) return "the program's name holds a NUL byte";
  const argument = launch.args.findIndex(hasNul);
  if (argument >= 0) {
    return `argument ${argument + 1} of ${launch.command} holds a NUL byte; pass the value by file`;
  }
  for (const [name, value] of Object.entries(launch.env)) {
    if (name === "" || name.includes("=") || hasNul(name)) {
      return `${JSON.stringify(name)} cannot be the name of an environment variable`;
    }
    if (hasNul(value)) {
      return `the environment variable ${name} holds a NUL byte; pass the value by file`;
    }
  }
  // Without PATH the C library would quietly look in places of its own (F07).
  if (!launch.command.includes("/") && !launch.env["PATH"]) {
    const state = launch.env["PATH"] === undefined ? "not set" : "empty";
    return `PATH is ${state}, so ${launch.command} cannot be found; set PATH and start again`;
  }
  return null;
}

/** What `spawn` threw or emitted, as a sentence. */
export function explainStartError(error: NodeJS.ErrnoException, launch: Launch): string {
  const directory = troubleWithDirectory(launch.cwd);
  if (directory !== null) return directory;
  switch (error.code) {
    case "ENOENT":
      return launch.command.includes("/")
        ? `there is no program ${launch.command}`
        : `there is no program ${launch.command} on PATH (${launch.env["PATH"] ?? ""})`;
    case "EACCES":
      return `${launch.command} cannot be run: permission denied`;
    case "E2BIG":
      return explainTooBig(launch);
    case "EAGAIN":
    case "ENOMEM":
    case "EMFILE":
    case "ENFILE":
      return `the system has no room for another process (${error.code}); close some and start again`;
    default:
      return `${launch.command} cannot be started: ${error.message}`;
  }
}

function troubleWithDirectory(cwd: string): string | null {
  try {
    if (!statSync(cwd).isDirectory()) return `the working directory ${cwd} is not a directory`;
    accessSync(cwd, constants.X_OK);
    return null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "EACCES"
      ? `the working directory ${cwd} cannot be entered: permission denied`
      : `the working directory ${cwd} does not exist`;
  }
}

/** Linux refuses one string over 128 KiB as well as too much in sum, and does not say which (F05). */
function explainTooBig(launch: Launch): string {
  const parts = [
    ...Object.entries(launch.env).map(([name, value]) => ({
      name: `the environment variable ${name}`,
      bytes: Buffer.byteLength(name) + Buffer.byteLength(value) + 2,
    })),
    ...launch.args.map((value, index) => ({
      name: `argument ${index + 1}`,
      bytes: Buffer.byteLength(value) + 1,
    })),
  ].sort((one, other) => other.bytes - one.bytes);
  const sum = parts.reduce((bytes, part) => bytes + part.bytes, 0);
  const largest = parts[0];
  if (largest === undefined) return `${launch.command} cannot be started: too many arguments`;
  return (
    `the arguments and the environment of ${launch.command} are too large for the system (${sum} bytes); ` +
    `the largest is ${largest.name} with ${largest.bytes} bytes; pass it by file`
  );
}

function hasNul(text: string): boolean {
  return text.includes("\0");
}
