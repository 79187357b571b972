/** Which Claude a session gets: none, the real one, the real one with a recorder, or a recording (spec 6). */
import path from "node:path";
import type { ClaudePort } from "../engine/ports.ts";
import { ownChildren } from "../process/children.ts";
import type { Reserve } from "../process/reserve.ts";
import { callsClaude, openClaude } from "./claude-check.ts";
import type { Prepared } from "./prepared.ts";
import { checkRecordingTarget, publishRecording } from "./recording-file.ts";
import { noClaude } from "./world.ts";

export interface ChosenClaude {
  readonly port: ClaudePort;
  /** For people, at the start. */
  readonly notes: readonly string[];
  /** To be called when the session is over, however it ended. */
  readonly finish: () => Promise<void>;
}

const nothing = async (): Promise<void> => Promise.resolve();

interface OfSession {
  readonly directory: string;
  /** A recording of the session goes on. */
  readonly resumed: boolean;
  readonly reserve: Reserve;
}

/** Throws `MmmError` for what cannot work, before anything is paid for. */
export async function chooseClaude(
  prepared: Prepared,
  { directory, resumed, reserve }: OfSession,
): Promise<ChosenClaude> {
  const { request, invocation } = prepared;
  const typed = (file: string): string => path.resolve(invocation.cwd, file);
  if (request.replay !== null) {
    const { openReplay } = await import("./recordings.ts");
    const port = await openReplay(typed(request.replay), prepared.secrets.redactor);
    await prepared.identity;
    return { port, notes: [], finish: nothing };
  }
  if (request.record !== null) await checkRecordingTarget(typed(request.record));
  const real = await realClaude(prepared, reserve);
  if (request.record === null) return { ...real, finish: nothing };
  const { openRecording } = await import("./recordings.ts");
  const target = typed(request.record);
  const file = path.join(directory, "recording.jsonl");
  return {
    port: await openRecording(file, real.port, {
      version: invocation.version,
      env: invocation.env,
      resumed,
      redactor: prepared.secrets.redactor,
    }),
    notes: real.notes,
    finish: () => publishRecording(file, target),
  };
}

async function realClaude(
  { plan, invocation, lookup, config, identity, secrets }: Prepared,
  reserve: Reserve,
): Promise<Pick<ChosenClaude, "port" | "notes">> {
  if (!callsClaude(plan)) {
    await identity;
    return { port: noClaude, notes: [] };
  }
  return openClaude(plan.steps, {
    invocation,
    children: ownChildren,
    lookup,
    identity,
    bin: config.claudeBin,
    strictPermissions: config.strictPermissions,
    redactor: secrets.redactor,
    reserve,
  });
}
