import stringWidth from "string-width";

/** ASCII, Latin letters, and the signs of live lines: each one column, and no mark joins them to another. */
const PLAIN = /^[ -~·…À-ÖØ-öø-ÿ\u2800-\u28ff]*$/;

/** Columns on a terminal. Asked for every piece of every frame: what is plain is not taken apart. */
export function textWidth(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}
