import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { LogFile, TAIL_BYTES, Tail } from "../../src/process/output.ts";
import { tempDir } from "./helpers.ts";

describe("the tail", () => {
  test("is empty when nothing came", () => {
    expect(new Tail().text()).toBe("");
  });

  test("keeps the last bytes of any sequence of chunks", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 45 })),
        (size, chunks) => {
          const tail = new Tail(size);
          for (const chunk of chunks) tail.push(Buffer.from(chunk));

          expect(tail.text()).toBe(chunks.join("").slice(-size));
          expect(tail.total).toBe(chunks.join("").length);
        },
      ),
    );
  });

  test("starts with a whole character wherever the cut falls", () => {
    for (let extra = 0; extra < 8; extra += 1) {
      const tail = new Tail();
      tail.push(Buffer.from(`${"🍳".repeat(TAIL_BYTES / 4)}${"x".repeat(extra)}`));

      expect(tail.text()).toMatch(/^(?:🍳)+x*$/u);
    }
  });

  test("joins a character that came in two chunks", () => {
    const tail = new Tail();
    const bytes = Buffer.from("é");
    tail.push(bytes.subarray(0, 1));
    tail.push(bytes.subarray(1));

    expect(tail.text()).toBe("é");
  });
});

describe("the log on disk", () => {
  test("exists, empty, though nothing was written", () => {
    const file = join(tempDir(), "a.log");
    new LogFile(file).close();

    expect(readFileSync(file, "utf8")).toBe("");
  });

  test("starts anew over an older one and can go on after it was closed", () => {
    const file = join(tempDir(), "a.log");
    const older = new LogFile(file);
    older.write(Buffer.from("older and longer"));
    older.close();

    const log = new LogFile(file);
    log.write(Buffer.from("one "));
    log.close();
    log.close();
    log.write(Buffer.from("two"));
    log.close();

    expect(readFileSync(file, "utf8")).toBe("one two");
  });

  test("a full disk is trouble with the surroundings (exit 3) that names the file", () => {
    const log = new LogFile("/dev/full");

    expect(() => log.write(Buffer.from("x"))).toThrow(
      expect.objectContaining({
        code: "log-unwritable",
        exitCode: 3,
        message: "cannot write the log /dev/full: the disk is full",
      }) as Error,
    );
  });

  test("a file that cannot be opened is named with the reason", () => {
    const file = join(tempDir(), "folder");
    mkdirSync(file);

    expect(() => new LogFile(file).close()).toThrow(
      expect.objectContaining({
        code: "log-unwritable",
        message: expect.stringMatching(/^cannot write the log .*folder: EISDIR/) as unknown,
      }) as Error,
    );
  });
});
