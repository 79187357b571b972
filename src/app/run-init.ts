/** `mmm init`: what was done to each file, and the line that commits it (spec 9.1). */
import type { Invocation } from "./cook-request.ts";
import { initCommands } from "./init.ts";
import { shippedPlaybooks } from "./init-choice.ts";
import { directoryOf } from "./repository-top.ts";
import { shippedTexts } from "./shipped-texts.ts";

const WORDS = {
  installed: "installed",
  unchanged: "unchanged",
  updated: "updated (untouched since an older mmm installed it)",
  replaced: "replaced",
  kept: "kept (differs; --force replaces)",
} as const;

export async function runInit(
  request: {
    readonly force: boolean;
    readonly only: readonly string[] | null;
    readonly path: string | null;
    readonly list: boolean;
    /** A shipped playbook to copy; `null`: none. */
    readonly playbook: string | null;
  },
  invocation: Invocation,
): Promise<number> {
  const { stdout, stderr, env, packageRoot } = invocation;
  if (request.list) {
    for (const [name, { text }] of await shippedTexts(packageRoot)) {
      stdout.write(`${name.padEnd(26)} ${descriptionOf(text)}\n`);
    }
    stdout.write("\nplaybooks, for --playbook NAME:\n");
    for (const { name, text } of await shippedPlaybooks(packageRoot)) {
      stdout.write(`${name.padEnd(26)} ${descriptionOf(text)}\n`);
    }
    return 0;
  }
  const home = env["HOME"];
  const report = await initCommands({
    cwd: directoryOf(request.path, invocation),
    force: request.force,
    only: request.only,
    playbook: request.playbook,
    packageRoot,
    env,
    ...(home === undefined ? {} : { home }),
  });
  const all = [...report.files, ...report.others];
  for (const { path: file, outcome } of all) stdout.write(`${file}  ${WORDS[outcome]}\n`);
  const sums = Object.keys(WORDS).flatMap((outcome) => {
    const count = all.filter((file) => file.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  stdout.write(`${sums.join(", ")}\n`);
  for (const name of report.hidden) {
    stderr.write(`warning: /${name} in your home folder hides the one of this repository\n`);
  }
  for (const line of report.next) stdout.write(`${line}\n`);
  return 0;
}

/** A bare list of steps has no description; its first line says what it is. */
function descriptionOf(text: string): string {
  const told = /^description:\s*(.+)$/m.exec(text)?.[1]?.replace(/^["']|["']$/g, "");
  return told ?? /^# (.+)$/m.exec(text)?.[1] ?? "";
}
