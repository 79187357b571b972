/** `--record` and `--replay` (spec 6.6). */
import { readFile, stat } from "node:fs/promises";
import type { Redactor } from "../lib/redact.ts";
import type { ClaudePort } from "../engine/ports.ts";
import { MmmError } from "../errors.ts";
import { recordingPort, startRecording } from "../claude/record.ts";
import { parseRecording } from "../claude/recording.ts";
import { createReplayPort } from "../claude/replay.ts";
import type { Invocation } from "./cook-request.ts";

/** Throws `MmmError` (exit 2) when the file is missing or is no recording. */
export async function openReplay(file: string, redactor: Redactor): Promise<ClaudePort> {
  let text: string;
  try {
    if (!(await stat(file)).isFile()) throw new Error("it is not a regular file");
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new MmmError("recording-missing", 2, {
      message: `cannot read the recording ${file}: ${error instanceof Error ? error.message : String(error)}`,
      next: ["make one: mmm cook PLAYBOOK --record FILE"],
      cause: error,
    });
  }
  return createReplayPort({ calls: parseRecording(text, file), file, redactor });
}

/** The same port, with a line in `file` for each call; made anew unless the session is resumed. */
export async function openRecording(
  file: string,
  port: ClaudePort,
  options: Pick<Invocation, "version" | "env"> & {
    readonly resumed: boolean;
    readonly redactor: Redactor;
  },
): Promise<ClaudePort> {
  const { version, env, resumed, redactor } = options;
  await startRecording({ file, version }, resumed);
  return recordingPort(port, { file, version, env, redactor });
}
