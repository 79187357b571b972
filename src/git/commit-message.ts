/** Longer first lines come from values, never from people; git and its viewers expect one line. */
const maxSubject = 250;
const maxBody = 100_000;

export type Trailer = readonly [name: string, value: string];

/**
 * The text for `git commit --cleanup=verbatim -F -`: one subject line, a body if there is one, the
 * trailers as the last paragraph. Control characters go, an empty message becomes `mmm: step`.
 */
export function composeMessage(message: string, trailers: readonly Trailer[]): string {
  const lines = clean(message).split("\n");
  const first = lines.findIndex((line) => line !== "");
  const subject = first === -1 ? "mmm: step" : cut((lines[first] ?? "").trim());
  const body = (first === -1 ? "" : lines.slice(first + 1).join("\n"))
    .replace(/^\n+/u, "")
    .slice(0, maxBody)
    .trimEnd();
  const block = trailers.map(trailerLine).join("\n");
  const head = body === "" ? subject : `${subject}\n\n${body}`;
  if (block === "") return `${head}\n`;
  return `${head}${endsInTrailers(body, trailers) ? "\n" : "\n\n"}${block}\n`;
}

/** As it stands in the message. */
export function trailerLine([name, value]: Trailer): string {
  return `${name}: ${oneLine(value)}`;
}

function clean(text: string): string {
  return text
    .replace(/\r\n?/gu, "\n")
    .replace(/[\t\u2028\u2029]/gu, " ")
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/gu, "")
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

function oneLine(text: string): string {
  return clean(text).replace(/\n+/gu, " ").trim();
}

function cut(line: string): string {
  const letters = Array.from(line); // code points: half an emoji is no text
  return letters.length <= maxSubject ? line : `${letters.slice(0, maxSubject - 1).join("")}…`;
}

/** Is the body's last paragraph nothing but trailers, and none that claims to be one of ours? */
function endsInTrailers(body: string, ours: readonly Trailer[]): boolean {
  const paragraph = body.slice(body.lastIndexOf("\n\n") + 1).trim();
  if (paragraph === "") return false;
  const names = new Set(ours.map(([name]) => name.toLowerCase()));
  return paragraph.split("\n").every((line) => {
    const name = /^([A-Za-z0-9][A-Za-z0-9-]*): \S/u.exec(line)?.[1];
    return name !== undefined && !names.has(name.toLowerCase());
  });
}
