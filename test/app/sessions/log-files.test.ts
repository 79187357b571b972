/** How a log is shown: byte for byte in a pipe, harmless and readable on a terminal (spec 0, 6.4). */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LogFile, logOf, LogReader } from "../../../src/app/sessions/log-files.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mmm-logs-"));
  mkdirSync(path.join(folder, "logs"));
  mkdirSync(path.join(folder, "claude"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function logFile(name: string): LogFile {
  const event = { at: { step: "1" }, attempt: 1, log: `/elsewhere/sessions/s/${name}` };
  const log = logOf(event, folder);
  if (log === null) throw new Error(`no log ${name}`);
  return log;
}

function shown(name: string, content: string | Buffer, terminal: boolean): string {
  const log = logFile(name);
  writeFileSync(log.file, content);
  const chunks: Buffer[] = [];
  new LogReader(log, { terminal, write: (text) => chunks.push(Buffer.from(text)) }).finish();
  return Buffer.concat(chunks).toString("latin1");
}

const EVIL = "a\u001b[2J\u001b]0;title\u0007b\n\u001b]52;c;ZXZpbA==\u0007c\u009b31md\n";

test("a pipe gets the bytes, whatever they are", () => {
  const bytes = Buffer.from([0, 27, 91, 50, 74, 255, 254, 10, 13]);

  expect(shown("logs/1.log", bytes, false)).toBe(bytes.toString("latin1"));
});

test("a terminal gets no escape sequences: nothing moves, is renamed or copied", () => {
  const text = Buffer.from(shown("logs/1.log", EVIL, true), "latin1").toString("utf8");

  expect(text).toBe("ab\ncd\n");
});

test("on a terminal Claude's text and tools are told, once, and its text plays no tricks either", () => {
  const say = (content: object): string =>
    `${JSON.stringify({ type: "assistant", message: { id: "m", content: [content] } })}\n`;
  const stream = [
    say({ type: "text", text: EVIL }),
    say({ type: "tool_use", name: "Bash", input: { command: "npm test\u001b[2J" } }),
    say({ type: "text", text: "done" }),
    `${JSON.stringify({ type: "result", result: "done" })}\n`,
    "a program's own words",
  ].join("");

  const text = Buffer.from(shown("claude/1.jsonl", stream, true), "latin1").toString("utf8");

  expect(text).toBe("ab\ncd\n▸ Bash npm test\ndone\na program's own words\n");
  expect(shown("claude/1.jsonl", stream, false)).toBe(Buffer.from(stream).toString("latin1"));
});

test("an entry of a recording reads like the run that it stands in for", () => {
  const entry = {
    step: "1",
    prompt: "/x",
    text: "found 2",
    activity: [{ type: "tool", name: "Read", detail: "README.md" }],
  };

  const text = shown("claude/1.jsonl", `${JSON.stringify(entry)}\n`, true);

  expect(Buffer.from(text, "latin1").toString("utf8")).toBe("▸ Read README.md\nfound 2\n");
});

test("a log that grows is read on where it was left, in pieces that cut characters in two", () => {
  const log = logFile("logs/1.log");
  let text = "";
  const reader = new LogReader(log, { terminal: true, write: (more) => (text += String(more)) });
  const bytes = Buffer.from("größe\nende");

  reader.read();
  for (const byte of bytes) {
    appendFileSync(log.file, Buffer.of(byte));
    expect(reader.hasMore).toBe(true);
    reader.read();
  }
  expect(text).toBe("größe\n");
  reader.finish();

  expect(text).toBe("größe\nende\n");
});

test.each(["/etc/passwd", "/x/logs/..", "logs", "/x/other/1.log", ""])(
  "a journal that names %j as a log names none: logs lie in the session's folder",
  (log) => {
    expect(logOf({ at: { step: "1" }, log }, folder)).toBeNull();
  },
);
