import { isUtf8 } from "node:buffer";

/**
 * A name as git prints it under `-z`, as a string that can be turned back into the very same bytes:
 * bytes that are no UTF-8 become lone surrogates U+DC80..U+DCFF (as in Python's `surrogateescape`).
 */
export function decodePath(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  let text = "";
  let start = 0;
  while (start < bytes.length) {
    const length = validLength(bytes, start);
    if (length === 0) text += String.fromCharCode(0xdc00 + (bytes[start] ?? 0));
    else text += bytes.toString("utf8", start, start + length);
    start += Math.max(length, 1);
  }
  return text;
}

/** The bytes of {@link decodePath}'s string. */
export function encodePath(path: string): Buffer {
  if (!/[\udc80-\udcff]/u.test(path)) return Buffer.from(path, "utf8");
  const parts: Buffer[] = [];
  for (const letter of path) {
    const code = letter.codePointAt(0) ?? 0;
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(letter));
  }
  return Buffer.concat(parts);
}

/** Absolute name for `node:fs`, exact for names that are no UTF-8 too. */
export function absolutePath(root: string, path: string): string | Buffer {
  const bytes = encodePath(path);
  return isUtf8(bytes) ? `${root}/${path}` : Buffer.concat([Buffer.from(`${root}/`), bytes]);
}

/** For people: as it is, or quoted as JSON when a letter would break the line or the terminal. */
export function showPath(path: string): string {
  return /[\u0000-\u001f\u007f-\u009f\ud800-\udfff]|^\s|\s$/u.test(path)
    ? JSON.stringify(path)
    : path;
}

/** Splits `-z` output; the last, empty part is dropped. Linear. */
export function splitNul(output: Buffer): string[] {
  if (isUtf8(output)) {
    const parts = output.toString("utf8").split("\0");
    if (parts.at(-1) === "") parts.pop();
    return parts;
  }
  const parts: string[] = [];
  let start = 0;
  while (start < output.length) {
    const found = output.indexOf(0, start);
    const end = found === -1 ? output.length : found;
    parts.push(decodePath(output.subarray(start, end)));
    start = end + 1;
  }
  return parts;
}

/** The list that `-z --stdin` reads. */
export function joinNul(paths: readonly string[]): Buffer {
  const nul = Buffer.of(0);
  return Buffer.concat(paths.flatMap((path) => [encodePath(path), nul]));
}

/** Bytes of the UTF-8 letter at `start`; 0 when there is none. */
function validLength(bytes: Buffer, start: number): number {
  for (let length = 1; length <= 4 && start + length <= bytes.length; length += 1)
    if (isUtf8(bytes.subarray(start, start + length))) return length;
  return 0;
}
