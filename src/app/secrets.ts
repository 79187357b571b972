/** The values of a playbook's secrets, had before anything starts (spec 2.1). */
import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";
import { createRedactor, type Redactor } from "../lib/redact.ts";
import { MIN_SECRET_BYTES } from "../lib/secret-forms.ts";
import type { Playbook, SecretDeclaration } from "../playbook/model.ts";
import type { Invocation } from "./cook-request.ts";

export interface FoundSecrets {
  readonly values: ReadonlyMap<string, string>;
  readonly redactor: Redactor;
}

/** What fits into a variable, with room for what a step puts around it. */
const MAX_SECRET_BYTES = 64 * 1024;

/** @throws MmmError `secret` (exit 3): not there, empty, too short to be masked, no text. All of them at once. */
export async function findSecrets(
  { secrets }: Playbook,
  place: { readonly invocation: Invocation; readonly root: string },
): Promise<FoundSecrets> {
  const values = new Map<string, string>();
  const problems: MmmError[] = [];
  for (const secret of secrets) {
    try {
      values.set(secret.name, await valueOf(secret, place));
    } catch (error) {
      if (!(error instanceof MmmError)) throw error;
      problems.push(error);
    }
  }
  const [first, ...others] = problems;
  if (first === undefined) return { values, redactor: createRedactor([...values.values()]) };
  const next = [...first.next, ...others.map(({ message }) => message)];
  throw new MmmError("secret", 3, { message: first.message, next });
}

async function valueOf(
  { name, from }: SecretDeclaration,
  { invocation, root }: { readonly invocation: Invocation; readonly root: string },
): Promise<string> {
  const isVariable = from.kind === "env";
  const what = isVariable ? `the variable ${from.name}` : `the file ${from.name}`;
  const value = isVariable
    ? invocation.env[from.name]
    : await contentOf(resolved(from.name, invocation, root), { name, what });
  if (value === undefined || value === "") {
    const next = isVariable
      ? `export ${from.name}=... before mmm is started`
      : `put it into ${what}`;
    throw trouble(name, `${what} is ${value === undefined ? "not set" : "empty"}`, next);
  }
  const bytes = Buffer.byteLength(value);
  if (bytes < MIN_SECRET_BYTES) {
    const why = `${what} holds ${bytes} bytes, and what is shorter than ${MIN_SECRET_BYTES} cannot be masked`;
    throw trouble(name, why, "use a longer one");
  }
  if (bytes > MAX_SECRET_BYTES) {
    throw trouble(name, `${what} holds ${bytes} bytes, more than 64 KiB`, "give its path instead");
  }
  if (value.includes("\0")) {
    throw trouble(name, `${what} holds a NUL byte, which no variable can carry`, "encode it first");
  }
  return value;
}

/** The text without its last line ends, as `$(cat FILE)` gives it. */
async function contentOf(
  file: string,
  { name, what }: { readonly name: string; readonly what: string },
): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = error instanceof Error ? error.message : String(error);
    throw trouble(
      name,
      isMissing ? `${what} is not there` : `${what} cannot be read: ${reason}`,
      `make ${file}`,
    );
  });
  if (!isUtf8(bytes)) throw trouble(name, `${what} is no UTF-8 text`, "encode it first");
  return bytes.toString("utf8").replace(/[\r\n]{1,4}$/, "");
}

/** `~/` expanded; else from the top of the repository. */
function resolved(typed: string, { env }: Invocation, root: string): string {
  const home = env["HOME"];
  if (typed.startsWith("~/") && home !== undefined) return path.join(home, typed.slice(2));
  return path.resolve(root, typed);
}

function trouble(name: string, why: string, next: string): MmmError {
  return new MmmError("secret", 3, { message: `secret ${name}: ${why}`, next: [next] });
}

/** What is thrown is told to people: known trouble and bugs alike, without secrets. */
export async function maskingErrors<T>(redactor: Redactor, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!redactor.isActive || !(error instanceof Error)) throw error;
    if (error instanceof MmmError) {
      const { code, exitCode, message, next } = error;
      throw new MmmError(code, exitCode, redactor.value({ message, next: [...next] }));
    }
    error.message = redactor.text(error.message);
    if (error.stack !== undefined) error.stack = redactor.text(error.stack);
    throw error;
  }
}
