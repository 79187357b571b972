/** Damaged files are kept for people, under a name that was free (spec 7). */

/** `journal.jsonl.damaged-1` */
export function damagedName(file: string, n: number): string {
  return `${file}.damaged-${n}`;
}

/** That name is in use. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
