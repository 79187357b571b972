/**
 * Where `--record` writes. While the session runs the recording lies in the session's folder, so that it
 * can never be taken for something a step made; at the end it is copied to where the user wants it.
 */
import { access, constants, copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";

/** Could it be put there? Asked before anything is paid for; throws `MmmError` (exit 3). */
export async function checkRecordingTarget(target: string): Promise<void> {
  const folder = path.dirname(target);
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw unwritable(target, error, ["choose another file for --record"]);
  }
}

/** Throws `MmmError` (exit 3), and the recording stays where it is. */
export async function publishRecording(from: string, target: string): Promise<void> {
  try {
    await copyFile(from, target);
  } catch (error) {
    throw unwritable(target, error, [`the recording lies in ${from}`]);
  }
}

function unwritable(target: string, cause: unknown, next: readonly string[]): MmmError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MmmError("recording-file", 3, {
    message: `cannot write the recording ${target}: ${reason}`,
    next,
    cause,
  });
}
