/** `mmm schema`: the JSON Schema of playbooks, for editors (spec 1). */
import { lstat, readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";
import { shellWord } from "../lib/shell-word.ts";
import type { Invocation } from "./cook-request.ts";
import { placeOf, type InitPlace } from "./init-place.ts";
import { repositoryTop } from "./repository-top.ts";
import { modeline, SCHEMA_FILE } from "./modeline.ts";
import { schemaText } from "./schema-text.ts";
import { writeTogether } from "./write-together.ts";

export interface SchemaRequest {
  /** `null`: print it; `true`: into {@link SCHEMA_FILE}; else a path, relative to where mmm was started. */
  readonly write: string | true | null;
}

/** @throws MmmError exit 3 when the file cannot be written; nothing is changed then */
export async function schema({ write }: SchemaRequest, invocation: Invocation): Promise<number> {
  const text = await schemaText(invocation.packageRoot);
  if (write === null) {
    invocation.stdout.write(text);
    return 0;
  }
  const { cwd } = invocation;
  const top = await topOf(invocation);
  const place = write === true ? await placeOf(top, SCHEMA_FILE) : await namedPlace(cwd, write);
  const isNew = place.there?.text !== text;
  if (isNew) await put({ ...place, text });
  const shown = path.relative(await realpath(cwd), place.target);
  invocation.stdout.write(`${isNew ? "wrote" : "unchanged"} ${shown}\n`);
  const line = modeline(path.join(await realpath(top), "playbooks"), place.target);
  invocation.stdout.write(`first line of a playbook in playbooks/, for editors: ${line}\n`);
  return 0;
}

/** Where there is no repository, the directory itself. */
async function topOf({ cwd, env }: Invocation): Promise<string> {
  try {
    return await repositoryTop(cwd, env);
  } catch (error) {
    const missing = error instanceof MmmError && ["no-repository", "no-git"].includes(error.code);
    if (missing) return cwd;
    throw error;
  }
}

/** The user has named it: a symlink is followed wherever it leads. */
async function namedPlace(cwd: string, typed: string): Promise<InitPlace> {
  const target = path.resolve(cwd, typed);
  if ((await lstat(target).catch(() => null)) === null) return { target, there: null };
  const real = await realpath(target).catch(() => null);
  const stats = real === null ? null : await stat(real);
  if (real === null || stats?.isFile() !== true) {
    const what = stats?.isDirectory() === true ? "a directory" : "no regular file";
    throw new MmmError("not-a-file", 3, {
      message: `${typed} is ${what}, nothing was written`,
      next: [`mmm schema --write ${shellWord(path.join(typed, "playbook.schema.json"))}`],
    });
  }
  return { target: real, there: { text: await readFile(real, "utf8"), mode: stats.mode & 0o777 } };
}

async function put(file: Parameters<typeof writeTogether>[0][number]): Promise<void> {
  try {
    await writeTogether([file]);
  } catch (error) {
    if (!(error instanceof MmmError)) throw error;
    throw new MmmError("schema-unwritable", 3, {
      message: error.message,
      next: ["mmm schema --write FILE", "mmm schema > FILE"],
      cause: error,
    });
  }
}
