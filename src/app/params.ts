/** `--param` and `--param-file`: the values of a playbook's parameters, or what is wrong with them (spec 1). */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";
import type { Playbook } from "../playbook/model.ts";
import { paramValues, readParamFile } from "../playbook/param-values.ts";
import { renderDiagnostics } from "../playbook/print.ts";
import type { Value } from "../values/value.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";

/** @throws MmmError `param`, `param-file` (exit 2), all problems at once. */
export async function findParams(
  { params }: Playbook,
  request: Pick<CookRequest, "params" | "paramFile">,
  invocation: Invocation,
): Promise<ReadonlyMap<string, Value>> {
  const file =
    request.paramFile === null
      ? new Map<string, Value>()
      : await fromFile(request.paramFile, params, invocation);
  const found = paramValues(params, { flags: request.params, file });
  if (found.ok) return found.values;
  const [first, ...others] = found.problems;
  throw new MmmError("param", 2, {
    message: first?.message ?? "",
    next: [
      ...(first === undefined || first.help === null ? [] : [first.help]),
      ...others.map(({ message, help }) => (help === null ? message : `${message} (${help})`)),
    ],
  });
}

/** One mebibyte of values is more than any command takes. */
const MAX_BYTES = 1024 * 1024;

async function fromFile(
  typed: string,
  declared: Playbook["params"],
  { cwd, stderr }: Invocation,
): Promise<ReadonlyMap<string, Value>> {
  const bytes = await readFile(path.resolve(cwd, typed)).catch((error: unknown) => {
    throw unusable(typed, error instanceof Error ? error.message : String(error));
  });
  if (bytes.length > MAX_BYTES) throw unusable(typed, "it is larger than 1 MiB");
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  const { values, diagnostics, source } = readParamFile(typed, text, declared);
  if (diagnostics.length === 0) return values;
  stderr.write(`${renderDiagnostics(source, diagnostics)}\n`);
  const count = diagnostics.length === 1 ? "1 problem" : `${diagnostics.length} problems`;
  throw unusable(typed, `${count}, nothing was run`);
}

function unusable(typed: string, why: string): MmmError {
  return new MmmError("param-file", 2, { message: `--param-file ${typed}: ${why}` });
}
