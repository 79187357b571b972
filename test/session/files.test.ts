/** What a session writes under `.mmm/` (spec 7): names, and values by file. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sessionName } from "../../src/session/name.ts";
import { openStore } from "../../src/session/store.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "mmm-session-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const now = new Date("2026-01-02T03:04:05Z");
describe("a session's name (spec 7)", () => {
  test.each([
    ["/x/playbooks/Nightly Review.yml", "mmm-nightly-review-1767323045"],
    ["a.b_c.YAML", "mmm-a-b-c-1767323045"],
    ["../../etc/пример.yml", "mmm-session-1767323045"],
    ["-.json", "mmm-session-1767323045"],
    [`${"x".repeat(300)}.yml`, `mmm-${"x".repeat(60)}-1767323045`],
  ])("%s is %s", (file, name) => {
    expect(sessionName(file, now, () => false)).toBe(name);
  });

  test("a taken one gets a number", () => {
    const taken = new Set(["mmm-a-1767323045", "mmm-a-1767323045-2"]);

    expect(sessionName("a.yml", now, (name) => taken.has(name))).toBe("mmm-a-1767323045-3");
  });
});

describe("the store", () => {
  test("values get a file each, and a hostile name stays in its folder", async () => {
    const store = openStore(folder);

    const one = await store.writeOutput("../../evil name", "1");
    const two = await store.writeOutput("../../evil name", "2");
    const hidden = await store.writeOutput("..", "3");

    expect(path.dirname(one)).toBe(path.join(folder, "outputs"));
    expect([one, two, hidden].map((file) => readFileSync(file, "utf8"))).toEqual(["1", "2", "3"]);
    expect(new Set([one, two, hidden]).size).toBe(3);
    expect(path.dirname(store.file("log", "0001-3.on_failure.1"))).toBe(path.join(folder, "logs"));
    expect(existsSync(path.join(folder, "claude"))).toBe(true);
  });

  test("a file that is not there is empty, and bytes that are no text are told", async () => {
    const store = openStore(folder);
    const file = store.file("stdout", "1");

    expect([await store.size(file), await store.read(file)]).toEqual([
      0,
      { text: "", exact: true },
    ]);
    writeFileSync(file, Buffer.from([0x61, 0xff]));
    expect(await store.read(file)).toEqual({ text: "a\uFFFD", exact: false });
    expect(await store.size(file)).toBe(2);
  });
});
