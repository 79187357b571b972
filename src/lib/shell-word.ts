/** A word as a POSIX shell takes it back: bare when it is harmless, else in single quotes. */
export function shellWord(text: string): string {
  return /^[\w./@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
