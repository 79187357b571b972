/** Commits and file changes of a recording, without the secrets that a call wrote into files. Pure. */
import { mask } from "./mask.ts";
import type { RecordedChange, RecordedCommit } from "./recording.ts";

export interface Changes {
  readonly commits: readonly RecordedCommit[];
  readonly changes: readonly RecordedChange[];
}

/** A file that held one is recorded with the mask in its place; one that is no text is left out. Both are told. */
export function withoutSecrets(
  { commits, changes }: Changes,
  secrets: readonly string[],
): {
  readonly commits: RecordedCommit[];
  readonly changes: RecordedChange[];
  readonly warnings: readonly string[];
} {
  const warnings: string[] = [];
  const clean = (list: readonly RecordedChange[]): RecordedChange[] =>
    list.flatMap((change) => {
      const masked = maskChange(change, secrets);
      if (masked === change) return [change];
      const what = masked === null ? "left out" : "masked in the recording";
      warnings.push(`recording: ${JSON.stringify(change.path)} holds a secret, ${what}`);
      return masked === null ? [] : [masked];
    });
  return {
    commits: commits.map((commit) => ({
      ...commit,
      subject: mask(commit.subject, secrets),
      ...(commit.body === undefined ? {} : { body: mask(commit.body, secrets) }),
      changes: clean(commit.changes),
    })),
    changes: clean(changes),
    warnings,
  };
}

function maskChange(change: RecordedChange, secrets: readonly string[]): RecordedChange | null {
  const { content, base64 } = change;
  if (base64 !== undefined) {
    const bytes = Buffer.from(base64, "base64");
    return secrets.some((secret) => bytes.includes(secret)) ? null : change;
  }
  if (content === undefined) return change;
  const masked = mask(content, secrets);
  return masked === content ? change : { ...change, content: masked };
}
