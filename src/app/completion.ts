/** Names on the disk that a shell may complete; trouble of any kind is no name at all. */
import { type Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Invocation } from "./cook-request.ts";
import { looksLikePlaybook, shippedNames } from "./playbook-file.ts";

interface Named {
  readonly value: string;
  readonly meaning: string;
}

/** Files here that look like playbooks, all of `playbooks/`, and the shipped ones. */
export async function playbooksToComplete({
  cwd,
  packageRoot,
}: Invocation): Promise<readonly Named[]> {
  const here = await playbookFiles(cwd);
  const kept = here.filter((name) => looksLikePlaybook(path.join(cwd, name)));
  const inFolder = (await playbookFiles(path.join(cwd, "playbooks"))).map(
    (name) => `playbooks/${name}`,
  );
  // One that begins with a dash would be taken for an option.
  const files = [...kept, ...inFolder].map((name) => (name.startsWith("-") ? `./${name}` : name));
  const shipped = shippedToComplete({ packageRoot });
  return [...files.map((value) => ({ value, meaning: "playbook" })), ...shipped];
}

export function shippedToComplete({
  packageRoot,
}: Pick<Invocation, "packageRoot">): readonly Named[] {
  return shippedNames(packageRoot).map((value) => ({ value, meaning: "shipped playbook" }));
}

export async function commandsToComplete({ packageRoot }: Invocation): Promise<readonly Named[]> {
  const names = await readdir(path.join(packageRoot, "commands")).catch((): string[] => []);
  return names
    .filter((name) => name.endsWith(".md"))
    .map((name) => ({ value: name.slice(0, -".md".length), meaning: "Claude command" }));
}

/** Newest first. */
export async function sessionsToComplete(
  resumable: boolean,
  invocation: Invocation,
): Promise<readonly Named[]> {
  try {
    const { openSessions } = await import("./sessions/place.ts");
    const { listSessions } = await import("../session/history.ts");
    const all = await listSessions(await openSessions(invocation));
    return all
      .filter((record) => !resumable || record.resumable)
      .map(({ name, status, playbook }) => ({
        value: name,
        meaning: `${status} ${playbook ?? ""}`.trim(),
      }));
  } catch {
    return [];
  }
}

async function playbookFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .filter((name) => /\.(?:ya?ml|json)$/i.test(name) && !name.startsWith("."))
    .sort();
}
