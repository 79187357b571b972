/**
 * A stand-in for Claude that is a shell script: no events, its text is its output (spec 6.2). It starts ten times as fast as
 * the fake of `fake-claude.ts`, for tests that ask it hundreds of times and want no more than text, files and commits.
 */
import * as fs from "node:fs/promises";
import * as path from "node:path";

export interface ShCall {
  /** Beginning of the prompt. The first that fits and is not used up answers. */
  readonly prompt: string;
  /** Answers once only; default always. */
  readonly once?: boolean;
  /** Path relative to the working directory to content, no line break added; `null` removes the file. */
  readonly writes?: Readonly<Record<string, string | null>>;
  /** Commits everything, when there is something. */
  readonly commit?: string;
  readonly text?: string;
}

export interface ShClaude {
  readonly bin: string;
  /** Oldest first. */
  readonly prompts: () => Promise<readonly string[]>;
}

/** @param directory exists, is empty and outside of the repository; removed by who made it */
export async function shClaude(directory: string, calls: readonly ShCall[]): Promise<ShClaude> {
  const bin = path.join(directory, "claude");
  const log = path.join(directory, "prompts");
  const lines = calls.flatMap((call, index) => {
    const used = quote(path.join(directory, `used-${index}`));
    const writes = Object.entries(call.writes ?? {}).map(([file, content]) =>
      content === null
        ? `rm -f ${quote(file)}`
        : `mkdir -p ${quote(path.dirname(file))}; printf %s ${quote(content)} > ${quote(file)}`,
    );
    const commit = quote(call.commit ?? "");
    return [
      `case "$prompt" in ${quote(call.prompt)}*)`,
      `if ! test -e ${used}; then`,
      ...(call.once === true ? [`: > ${used}`] : []),
      ...writes,
      ...(call.commit === undefined
        ? []
        : [`git add -A && { git diff --cached --quiet || git commit -q -m ${commit}; }`]),
      `printf '%s\\n' ${quote(call.text ?? "done")}; exit 0; fi;;`,
      "esac",
    ];
  });
  const script = [
    "#!/bin/sh",
    'test "$1" = --version && { echo "2.1.112 (Claude Code)"; exit 0; }',
    "for prompt; do :; done",
    `printf '%s\\0' "$prompt" >> ${quote(log)}`,
    ...lines,
    'echo "nobody answers $prompt" >&2; exit 97',
  ];
  await fs.writeFile(bin, `${script.join("\n")}\n`, { mode: 0o755 });
  return {
    bin,
    prompts: async () => {
      const text = await fs.readFile(log, "utf8").catch(() => "");
      return text.split("\0").slice(0, -1);
    },
  };
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
