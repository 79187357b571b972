/** Two sessions in one second (spec 7). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimSession } from "../../src/session/claim.ts";
import { program } from "../process/helpers.ts";

const now = new Date("2026-01-02T03:04:05Z");
let base = "";
let sessions = "";
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), "mmm-claim-"));
  sessions = path.join(base, ".mmm", "sessions");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test("the second of a second gets a number, files and folders of any kind take a name", () => {
  const first = claimSession(sessions, "Prüf Lauf.v2.yml", { now });
  writeFileSync(path.join(sessions, "mmm-pr-f-lauf-v2-1767323045-2"), "");
  const second = claimSession(sessions, "Prüf Lauf.v2.yml", { now });

  expect(first.name).toBe("mmm-pr-f-lauf-v2-1767323045");
  expect(second.name).toBe("mmm-pr-f-lauf-v2-1767323045-3");
  expect(first.directory).toBe(path.join(sessions, first.name));
  expect(readdirSync(second.directory)).toEqual([]);
});

test("a claim that is dropped is free again, a session that has begun stays", () => {
  claimSession(sessions, "a.yml", { now }).drop();
  const begun = claimSession(sessions, "a.yml", { now });
  writeFileSync(path.join(begun.directory, "journal.jsonl"), "");
  begun.drop();

  expect(begun.name).toBe("mmm-a-1767323045");
  expect(readdirSync(sessions)).toEqual([begun.name]);
});

test("processes that start at the same instant get a name each", async () => {
  const child = await program(
    base,
    `import { claimSession } from "./src/session/claim.ts";
     process.stdout.write("ready\\n");
     process.stdin.once("data", () => {
       for (let n = 0; n < 25; n += 1) {
         console.log(claimSession(process.argv[2], "a.yml", { now: new Date(${now.getTime()}) }).name);
       }
       process.exit(0);
     });`,
  );
  const children = [1, 2, 3].map(() => spawn(process.execPath, [child, sessions]));
  const texts = children.map(() => "");
  children.forEach((each, index) =>
    each.stdout.on("data", (chunk: Buffer) => (texts[index] += chunk.toString())),
  );
  await Promise.all(children.map(async (each) => once(each.stdout, "data")));

  for (const each of children) each.stdin.write("go\n");
  await Promise.all(children.map(async (each) => once(each, "close")));

  const names = texts.flatMap((text) => text.trim().split("\n").slice(1));
  expect(names).toHaveLength(75);
  expect(new Set(names)).toEqual(new Set(readdirSync(sessions)));
  expect(new Set(names).size).toBe(75);
});

test("a folder that cannot be made is exit 3", () => {
  mkdirSync(path.dirname(sessions));
  writeFileSync(sessions, "");

  expect(() => claimSession(sessions, "a.yml", { now })).toThrow(
    expect.objectContaining({ exitCode: 3, message: expect.stringContaining(sessions) as string }),
  );
});
