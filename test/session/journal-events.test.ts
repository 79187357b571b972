/** Journals that are torn, damaged, huge or still being written (spec 7). */
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JournalReader } from "../../src/session/journal-events.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mmm-journal-"));
  file = path.join(folder, "journal.jsonl");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function seqs(reader: JournalReader): readonly unknown[] {
  return [...reader.events()].map((event) => event["seq"]);
}

test("damaged lines are counted and left out, and nothing is invented", () => {
  writeFileSync(file, '{"seq":1}\n{"seq":2\n\0\0\0\n[3]\n\n{"seq":4}\n');
  const reader = new JournalReader(file);

  expect(seqs(reader)).toEqual([1, 4]);
  expect(reader.damaged).toBe(3);
});

test("a line without an end waits for it: a journal may be written while it is read", () => {
  writeFileSync(file, '{"seq":1}\n{"se');
  const reader = new JournalReader(file);

  expect(seqs(reader)).toEqual([1]);
  expect(seqs(reader)).toEqual([]);
  appendFileSync(file, 'q":2}\n{"seq":3}\n');
  expect(seqs(reader)).toEqual([2, 3]);
  expect(reader.damaged).toBe(0);
});

test("answers that resume keeps there are no events, whatever their values hold", () => {
  const answer = { v: 1, seq: 2, type: "answer", lane: "", call: "x", value: { type: "note" } };
  const event = { v: 1, seq: 3, type: "note", message: '{"type":"answer"' };
  writeFileSync(file, `${JSON.stringify(answer)}\n${JSON.stringify(event)}\n`);

  expect(seqs(new JournalReader(file))).toEqual([3]);
});

test("lines longer than what is read at once are whole", () => {
  const text = "é".repeat(400_000);
  writeFileSync(file, `${JSON.stringify({ seq: 1, text })}\n${JSON.stringify({ seq: 2 })}\n`);

  const [first] = [...new JournalReader(file).events()];

  expect(first?.["text"]).toBe(text);
});

test("a journal that is not there, or is no file, has no events", () => {
  expect(seqs(new JournalReader(file))).toEqual([]);
  expect(seqs(new JournalReader(folder))).toEqual([]);
});

test("every prefix of a journal, cut at any byte, gives its whole lines", () => {
  const lines = [1, 2, 3, 4].map((seq) => JSON.stringify({ seq, text: "größe\n\u0000😀" }));
  const whole = Buffer.from(`${lines.join("\n")}\n`);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: whole.length }), (cut) => {
      writeFileSync(file, whole);
      truncateSync(file, cut);
      const reader = new JournalReader(file);
      const ends = whole.subarray(0, cut).filter((byte) => byte === 10).length;

      expect(seqs(reader)).toEqual([1, 2, 3, 4].slice(0, ends));
      expect(reader.damaged).toBe(0);
    }),
  );
});
