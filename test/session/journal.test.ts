/** `journal.jsonl` (spec 7): what has happened survives a kill, what was paid a power cut, damage is told. */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openJournal, type JournalDisk } from "../../src/session/journal.ts";
import type { Answer } from "../../src/engine/lane.ts";
import type { JournalRecord } from "../../src/session/journal-line.ts";
import { Reserve } from "../../src/process/reserve.ts";
import { readJournal } from "../../src/session/read-journal.ts";
import { program } from "../process/helpers.ts";
import { attempt, finished, place, SESSION_FINISHED } from "../support/scripted-run.ts";

let folder = "";
let file = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "mmm-journal-"));
  file = path.join(folder, "journal.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const now = (): Date => new Date("2026-01-02T03:04:05Z");
const note = (message: string): JournalRecord => ({ type: "note", severity: "info", message });
const answer = (call: string, value: unknown = 1): Answer => ({
  type: "answer",
  lane: "",
  call,
  value,
});
const aside = (n: number): string => `${file}.damaged-${n}`;

function write(records: readonly JournalRecord[], disk: Partial<JournalDisk> = {}): string | null {
  const journal = openJournal(file, now, { disk });
  for (const record of records) journal.append(record);
  journal.close();
  return journal.note;
}

/** Without the stamps. */
const held = (): readonly unknown[] =>
  readJournal(file).lines.map(({ v: _v, seq: _seq, time: _time, ...record }) => record);

describe("writing", () => {
  test("each record is a whole line on disk before the next thing happens", () => {
    const journal = openJournal(file, now);

    journal.append(note("one\ntwo"));
    const first = readFileSync(file, "utf8");
    journal.append(answer("look", { head: "ä" }));
    journal.close();

    expect(first).toBe(
      '{"v":1,"seq":1,"time":"2026-01-02T03:04:05.000Z","type":"note","severity":"info","message":"one\\ntwo"}\n',
    );
    expect(readFileSync(file, "utf8").split("\n")[1]).toBe(
      '{"v":1,"seq":2,"time":"2026-01-02T03:04:05.000Z","type":"answer","lane":"","call":"look","value":{"head":"ä"}}',
    );
  });

  test("a journal that is opened again goes on counting, and has nothing to say", () => {
    write([note("a"), note("b")]);

    expect(write([note("c")])).toBeNull();

    expect(readJournal(file).lines.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual(["journal.jsonl"]);
  });

  test("a disk that takes a byte at a time gets whole lines all the same", () => {
    const slow: Partial<JournalDisk> = { write: (fd, bytes, at) => writeSync(fd, bytes, at, 1) };

    write([note("é ✓"), answer("claude", "x")], slow);

    expect(held()).toEqual([note("é ✓"), answer("claude", "x")]);
  });

  test("a disk that is full in the middle of a line stops the run, exit 3, and leaves whole lines", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
    });
    let room = 150;
    const disk: Partial<JournalDisk> = {
      write: (fd, bytes, at) => {
        if (room === 0) throw full;
        const length = writeSync(fd, bytes, at, Math.min(room, bytes.length - at));
        room -= length;
        return length;
      },
    };
    const journal = openJournal(file, now, { disk });
    journal.append(note("fits"));

    const stop = expect.objectContaining({
      exitCode: 3,
      next: ["free some space, then run it again"],
    });
    expect(() => journal.append(note("x".repeat(200)))).toThrow(stop);
    room = 10_000;
    // What came in between is missing: nothing after it may look like the whole truth.
    expect(() => journal.append(note("later"))).toThrow(stop);
    journal.close();

    expect(readJournal(file)).toMatchObject({ sound: 1, torn: 0, damage: [] });
    expect(held()).toEqual([note("fits")]);
  });

  test("on a full disk the last line goes where room was kept, and the run stops all the same", () => {
    const kept = path.join(folder, "reserve");
    const reserve = new Reserve(kept);
    reserve.fill();
    const disk: Partial<JournalDisk> = {
      write: (fd, bytes, at) => {
        if (existsSync(kept) && bytes.includes("paid"))
          throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
        return writeSync(fd, bytes, at);
      },
    };
    const journal = openJournal(file, now, { disk, reserve });
    journal.append(note("fits"));

    const stop = expect.objectContaining({ exitCode: 3 });
    expect(() => journal.append(answer("claude", "paid"))).toThrow(stop);
    expect(() => journal.append(note("later"))).toThrow(stop);
    journal.close();

    expect(held()).toEqual([note("fits"), answer("claude", "paid")]);
    expect(readJournal(file)).toMatchObject({ sound: 2, torn: 0, damage: [] });
  });

  test("goes on no further once somebody else has needed that room", () => {
    const reserve = new Reserve(path.join(folder, "reserve"));
    reserve.fill();
    const journal = openJournal(file, now, { reserve });
    reserve.release();

    const stop = expect.objectContaining({
      exitCode: 3,
      next: ["free some space, then run it again"],
    });
    expect(() => journal.append(answer("claude", "paid"))).toThrow(stop);
    expect(() => journal.append(note("later"))).toThrow(stop);
    journal.close();

    expect(held()).toEqual([answer("claude", "paid")]);
  });

  test("that cannot be written stops the run with exit 3", () => {
    expect(() => openJournal(path.join(folder, "no", "journal.jsonl"), now)).toThrow(
      expect.objectContaining({ exitCode: 3 }),
    );
  });
});

describe("syncing to disk (spec 7)", () => {
  const shell = place("1");
  const claude = place("2", { kind: "claude" });
  const events = (at: typeof shell): readonly JournalRecord[] =>
    attempt(at, { number: 1, most: 1 }).flatMap((each) => ("event" in each ? [each.event] : []));
  const commit: JournalRecord = {
    type: "commit-made",
    at: shell,
    commit: { sha: "a".repeat(40), subject: "x" },
    by: "mmm",
  };

  test.each<[string, readonly JournalRecord[], readonly number[]]>([
    ["a step that only ran a command is not waited for", [...events(shell), finished(shell)], []],
    ["a step that called Claude is, at its end", [...events(claude), finished(claude)], [4]],
    ["a step that committed is, at its end", [...events(shell), commit, finished(shell)], [5]],
    [
      "an answer of Claude is at once, it was paid; and when closed",
      [answer("look"), answer("claude")],
      [2, 2],
    ],
    ["and the step it belongs to again", [answer("claude"), finished(claude)], [1, 2]],
    ["the end is", [note("a"), SESSION_FINISHED], [2]],
    ["so is what is left when it is closed early", [...events(claude)], [3]],
    ["each step for itself", [commit, finished(shell), finished(place("2"))], [2]],
  ])("%s", (_, records, after) => {
    const synced: number[] = [];
    const sync = (): void => {
      synced.push(readJournal(file).sound);
    };

    write(records, { sync });

    expect(synced).toEqual(after);
  });

  test("a disk that cannot sync stops the run, exit 3", () => {
    const sync = (): void => {
      throw new Error("EIO: i/o error, fdatasync");
    };

    expect(() => write([answer("claude")], { sync })).toThrow(
      expect.objectContaining({ exitCode: 3, message: expect.stringContaining("EIO") as string }),
    );
  });
});

describe("reading", () => {
  const records = [note("ä\u{1F600}"), answer("look", { a: [1, "\n"] }), answer("claude", "✓")];

  test("every prefix, cut at any byte, loads to its whole lines; opened again, it goes on after them", () => {
    write(records);
    const whole = readFileSync(file);

    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length }), (length) => {
        for (const name of readdirSync(folder)) rmSync(path.join(folder, name));
        const cut = whole.subarray(0, length);
        writeFileSync(file, cut);
        const ends = [...cut.keys()].filter((at) => cut[at] === 0x0a);
        const sound = ends.length;
        const torn = length - ((ends.at(-1) ?? -1) + 1);

        expect(readJournal(file)).toMatchObject({ sound, torn, damage: [], rest: [] });
        expect(held()).toEqual(records.slice(0, sound));
        const word = write([note("next")]);
        expect(held()).toEqual([...records.slice(0, sound), note("next")]);
        expect(readJournal(file)).toMatchObject({ sound: sound + 1, torn: 0, damage: [] });
        if (torn === 0) expect(word).toBeNull();
        else {
          expect(word).toContain(`its ${torn} bytes are kept as ${aside(1)}`);
          expect(readFileSync(aside(1))).toEqual(cut.subarray(length - torn));
        }
      }),
      { numRuns: 400 },
    );
  });

  test.each<[string, string | Buffer, RegExp]>([
    ["noise", "noise", /no JSON/],
    ["zeros of a power cut", "\0\0\0\0", /no JSON/],
    ["half a line", '{"v":1,"seq":2,"time":"t","type":"no', /no JSON/],
    ["nothing", "", /no JSON/],
    ["a list", "[]", /no object/],
    ["null", "null", /no object/],
    ["no version", '{"seq":2,"time":"t","type":"note"}', /no version/],
    ["no number", '{"v":1,"time":"t","type":"note"}', /no number/],
    ["a number between two", '{"v":1,"seq":1.5,"time":"t","type":"note"}', /no number/],
    ["no time", '{"v":1,"seq":2,"type":"note"}', /no time/],
    ["no type", '{"v":1,"seq":2,"time":"t"}', /no type/],
    ["an answer to nothing", '{"v":1,"seq":2,"time":"t","type":"answer"}', /no question/],
    ["a gap", '{"v":1,"seq":3,"time":"t","type":"note"}', /number 3, and 2 is due/],
    ["a line twice", '{"v":1,"seq":1,"time":"t","type":"note"}', /number 1, and 2 is due/],
    ["broken text", Buffer.from([0x22, 0xff, 0x22]), /no UTF-8/],
  ])("%s in the middle ends what can be replayed, and is kept aside", (_, damaged, why) => {
    write([note("one"), note("two"), note("three")]);
    const [one = "", , three = ""] = readFileSync(file, "utf8").split("\n");
    const tail = Buffer.concat([Buffer.from(damaged), Buffer.from(`\n${three}\ntorn`)]);
    writeFileSync(file, Buffer.concat([Buffer.from(`${one}\n`), tail]));

    const read = readJournal(file);
    expect(read.lines).toEqual([JSON.parse(one)]);
    expect(read.damage).toEqual([{ line: 2, why: expect.stringMatching(why) as string }]);
    expect(read.rest.at(-1)).toEqual(JSON.parse(three));
    expect(read).toMatchObject({ sound: 1, soundBytes: one.length + 1, torn: 4 });

    const word = write([note("again")]);

    expect(word).toMatch(/is damaged at line 2 \(/);
    expect(word).toContain(aside(1));
    expect(held()).toEqual([note("one"), note("again")]);
    expect(readFileSync(aside(1))).toEqual(tail);
  });

  test("no damage takes the place of an earlier one", () => {
    write([note("one")]);
    for (const n of [1, 2, 3]) {
      appendFileSync(file, `torn ${n}`);
      expect(write([])).toContain(aside(n));
    }

    expect([1, 2, 3].map((n) => readFileSync(aside(n), "utf8"))).toEqual([
      "torn 1",
      "torn 2",
      "torn 3",
    ]);
    expect(held()).toEqual([note("one")]);
  });

  test("what was read already is not read again", () => {
    write([note("one")]);
    appendFileSync(file, "torn");
    const content = readJournal(file);

    const journal = openJournal(file, now, { content });
    journal.append(note("two"));
    journal.close();

    expect(journal.note).toContain("its 4 bytes");
    expect(held()).toEqual([note("one"), note("two")]);
  });

  test("no file is an empty journal, a folder and a pipe are none", () => {
    expect(readJournal(file)).toMatchObject({ lines: [], sound: 0, torn: 0, damage: [] });

    const pipe = path.join(folder, "pipe");
    spawnSync("mkfifo", [pipe]);
    mkdirSync(file);
    for (const each of [file, pipe])
      expect(() => readJournal(each)).toThrow(expect.objectContaining({ exitCode: 3 }));
  });

  test("one of a newer mmm is refused with a word, exit 3, and left alone", () => {
    const text = '{"v":1,"seq":1,"time":"t","type":"note"}\n{"v":2,"what":"ever"}\n';
    writeFileSync(file, text);

    for (const use of [() => readJournal(file), () => write([note("x")])]) {
      expect(use).toThrow(
        expect.objectContaining({
          exitCode: 3,
          message: expect.stringContaining("was written by a newer mmm") as string,
        }),
      );
    }
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("lines longer than any buffer are lines", () => {
    const long = [note("ä".repeat(1_500_000)), note("b"), note("c".repeat(2_500_000))];
    write(long);

    expect(held()).toEqual(long);
    truncateSync(file, 3_000_050);
    expect(readJournal(file).sound).toBe(0);
  });

  test("100 000 lines of 32 MB fit into a heap of 96 MB (spec 11)", async () => {
    const child = await program(
      folder,
      `import { writeFileSync } from "node:fs";
       import { readJournal } from "./src/session/read-journal.ts";
       const read = readJournal(process.argv[2]);
       writeFileSync(process.argv[3], String(read.sound));`,
    );
    const events = attempt(place("3"), { number: 1, most: 1 }).flatMap((each) =>
      "event" in each ? [each.event] : [],
    );
    const lines = Array.from({ length: 100_000 }, (_, n) =>
      JSON.stringify({ v: 1, seq: n + 1, time: now().toISOString(), ...events[n % events.length] }),
    );
    writeFileSync(file, `${lines.join("\n")}\n`);
    const result = path.join(folder, "result.json");

    // A bound that Node holds: what is garbage but not collected yet differs with its version and the machine.
    const bound = "--max-old-space-size=96";
    const { status, stderr } = spawnSync(process.execPath, [bound, child, file, result]);

    expect(status, String(stderr)).toBe(0);
    expect(readFileSync(result, "utf8")).toBe("100000");
    expect(existsSync(aside(1))).toBe(false);
  });
});
