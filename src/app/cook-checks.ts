/** What can be checked without the repository: command line, playbook, inputs, parameters (spec 1.1; exit 2). */
import path from "node:path";
import { MmmError } from "../errors.ts";
import { noRedactor } from "../lib/redact.ts";
import type { Diagnostic } from "../playbook/diagnostic.ts";
import type { Playbook } from "../playbook/model.ts";
import type { PlanRequest } from "../playbook/plan-request.ts";
import { planRead } from "../playbook/plan-read.ts";
import { readPlaybook } from "../playbook/read.ts";
import type { SourceFile } from "../playbook/source.ts";
import type { Value } from "../values/value.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { findInputs, type FoundInput } from "./inputs.ts";
import { findParams } from "./params.ts";
import { basePlan, inputsAsked, refuse, workingDirectory } from "./planning.ts";
import { findPlaybook, noPlaybook, type PlaybookFile } from "./playbook-file.ts";

export interface CheckedRequest {
  /** Absolute path of the directory steps run in. */
  readonly cwd: string;
  readonly file: PlaybookFile;
  readonly playbook: Playbook;
  readonly source: SourceFile;
  readonly found: readonly FoundInput[];
  /** Without parameters, config and what the commands' files say. */
  readonly planRequest: PlanRequest;
  /** Warnings and notes. */
  readonly diagnostics: readonly Diagnostic[];
  readonly params: ReadonlyMap<string, Value>;
}

/** A number is the exit code of a playbook that was refused, with all its problems told. Throws `MmmError` too. */
export async function checkRequest(
  request: CookRequest,
  invocation: Invocation,
): Promise<CheckedRequest | number> {
  const cwd = workingDirectory(request, invocation);
  await checkRecordings(request, invocation);
  if (request.playbook === null)
    throw noPlaybook({ cwd: invocation.cwd, packageRoot: invocation.packageRoot });
  const file = findPlaybook(request.playbook, invocation);
  const read = readPlaybook(file.shown, file.bytes);
  const { playbook, source } = read;
  if (playbook === null) return refuseUnread(request, read, invocation);
  const found = await findInputs(request, cwd);
  checkParallel(request, { playbook, count: found.length });
  const planRequest = await basePlan(request, { found, read }, invocation);
  const { plan, diagnostics } = planRead(read, planRequest);
  if (plan === null) return refuse(source, diagnostics, invocation);
  const params = await findParams(playbook, request, invocation);
  return { cwd, file, playbook, source, found, planRequest, diagnostics, params };
}

/** Inputs come together by their commits. */
function checkParallel(
  { parallel = null, commit }: CookRequest,
  { playbook, count }: { readonly playbook: Playbook; readonly count: number },
): void {
  if (parallel === null) return;
  if (count === 0)
    throw new MmmError("parallel-without-inputs", 2, {
      message: "--parallel is for several inputs, and there is none",
      next: ['add --map "specs/*.md" or --args VALUE, or leave --parallel out'],
    });
  if (!commit || playbook.commit === "off")
    throw new MmmError("parallel-without-commits", 2, {
      message: "--parallel merges what the inputs commit, and commits are off",
      next: [
        `leave out ${commit ? "`commit: off` in the playbook" : "--no-commit"}, or --parallel`,
      ],
    });
}

async function refuseUnread(
  request: CookRequest,
  read: ReturnType<typeof readPlaybook>,
  invocation: Invocation,
): Promise<number> {
  const asked = await basePlan(request, { found: inputsAsked(request), read }, invocation);
  return refuse(read.source, planRead(read, asked).diagnostics, invocation);
}

async function checkRecordings(request: CookRequest, invocation: Invocation): Promise<void> {
  if (request.record !== null && request.replay !== null) {
    throw new MmmError("record-and-replay", 2, {
      message: "--record and --replay exclude each other",
      next: ["record a real run first, then replay it"],
    });
  }
  // A recording belongs to the command line: what is wrong with it is said before all else (spec 1.1).
  if (request.replay !== null) {
    const { openReplay } = await import("./recordings.ts");
    await openReplay(path.resolve(invocation.cwd, request.replay), noRedactor);
  }
}
