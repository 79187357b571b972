/** What git says of a disk, told apart from all else it may say. */

/** Of git in English; it has no exit code for it. */
const FULL = /No space left on device|Disk quota exceeded|Out of diskspace/;
/** On git's own lines: a hook may be refused something somewhere else. */
const CLOSED =
  /(?:^|: )(?:fatal|error): .*(?:Read-only file system|insufficient permission for adding an object|nable to (?:create|write|append).*Permission denied)/m;

/** What to do about it; `null`: git's text says nothing of a disk. */
export function diskAdvice(text: string): readonly string[] | null {
  if (FULL.test(text)) return ["free some space, then run it again"];
  if (CLOSED.test(text)) return ["make the repository writable, then run it again: ls -ld .git"];
  return null;
}
