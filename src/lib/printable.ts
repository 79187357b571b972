/**
 * Names and arguments stand in error messages: they must not move the cursor, set a title or reorder
 * the line. Line ends and tabs stay. For the reports of a run, which know widths, see `report/safe-text.ts`.
 */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    "\ufffd",
  );
}
