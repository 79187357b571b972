/** Which worktrees a session has, as its folder says (spec 7, 8.1). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MmmError } from "../../src/errors.ts";
import {
  forgetInputRecord,
  inputName,
  inputNumber,
  inputRecords,
  readInputRecord,
  readWorktreeRecord,
  type WorktreeRecord,
  writeInputRecord,
  writeWorktreeRecord,
} from "../../src/session/worktree-file.ts";

let top = "";
let folder = "";
beforeEach(() => {
  top = mkdtempSync(path.join(tmpdir(), "mmm-record-"));
  folder = path.join(top, "mmm-x-1");
  mkdirSync(folder);
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const RECORD: WorktreeRecord = {
  name: "mmm-x-1",
  path: "/trees/repo/mmm-x-1",
  target: "feature/x",
  base: "a".repeat(40),
  createdAt: "2026-01-02T03:04:05.000Z",
  mergedAt: null,
  needs: ["gates", "secrets"],
};
const OF_INPUT: WorktreeRecord = {
  ...RECORD,
  name: "mmm-x-1-i2",
  path: "/trees/repo/mmm-x-1-i2",
  target: "mmm-x-1",
  needs: null,
};

/** As the first version had it. */
const FIRST = {
  version: 1,
  name: "mmm-x-1",
  path: "/trees/repo/mmm-x-1",
  target: "main",
  base: "b".repeat(40),
  created_at: "2026-01-02T03:04:05.000Z",
  merged_at: "2026-01-02T04:04:05.000Z",
};

function put(content: unknown, file = "worktree.json"): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), JSON.stringify(content));
}

describe("worktree.json", () => {
  test("comes back as it was written", () => {
    writeWorktreeRecord(folder, RECORD);

    expect(readWorktreeRecord(folder)).toEqual(RECORD);
  });

  test("of the first version says nothing of what a merge needs: nobody knows", () => {
    put(FIRST);

    expect(readWorktreeRecord(folder)).toEqual({
      name: "mmm-x-1",
      path: "/trees/repo/mmm-x-1",
      target: "main",
      base: "b".repeat(40),
      createdAt: "2026-01-02T03:04:05.000Z",
      mergedAt: "2026-01-02T04:04:05.000Z",
      needs: null,
    });
  });

  test("of the first version is of the second one when it is written again", () => {
    put(FIRST);
    const old = readWorktreeRecord(folder);
    if (old !== null) writeWorktreeRecord(folder, { ...old, mergedAt: null });

    const text = readFileSync(path.join(folder, "worktree.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({ version: 2, needs: null, merged_at: null });
  });

  test("keeps of what a merge needs what this mmm knows", () => {
    put({ ...FIRST, version: 2, needs: ["steps", "moonlight", 7] });

    expect(readWorktreeRecord(folder)?.needs).toEqual(["steps"]);
  });

  test("of a newer mmm is refused, not guessed at", () => {
    put({ ...FIRST, version: 3 });

    expect(() => readWorktreeRecord(folder)).toThrow(MmmError);
  });

  test.each<[string, object]>([
    ["a name that leads elsewhere", { name: "../mmm-x-1" }],
    ["a name like an option", { name: "-x", path: "/trees/-x" }],
    ["another session's name", { name: "mmm-y-1", path: "/trees/mmm-y-1" }],
    ["a folder of another name", { path: "/trees/precious" }],
    ["a relative folder", { path: "trees/mmm-x-1" }],
    ["a base that is no commit", { base: "--all" }],
    ["no base", { base: null }],
  ])("with %s is no record", (_, over) => {
    put({ ...FIRST, ...over });

    expect(readWorktreeRecord(folder)).toBeNull();
  });

  test("never has a target that git would take for an option", () => {
    put({ ...FIRST, target: "--force" });

    expect(readWorktreeRecord(folder)?.target).toBeNull();
  });

  test("that is not there, or is damaged, is none", () => {
    expect(readWorktreeRecord(folder)).toBeNull();
    writeFileSync(path.join(folder, "worktree.json"), '{"version": 2, "na');
    expect(readWorktreeRecord(folder)).toBeNull();
  });
});

describe("inputs/N.json", () => {
  const record = { ...OF_INPUT, input: 2, protectedFiles: [{ path: ".env" }] };

  test("comes back as it was written, and is forgotten, twice", () => {
    writeInputRecord(folder, record);

    expect(readInputRecord(folder, 2)).toEqual(record);
    forgetInputRecord(folder, 2);
    forgetInputRecord(folder, 2);
    expect(readInputRecord(folder, 2)).toBeNull();
  });

  test("of the first version is read, without protected files", () => {
    const { name, path: place } = OF_INPUT;
    put({ ...FIRST, name, path: place, input: 2 }, "inputs/2.json");

    expect(readInputRecord(folder, 2)).toMatchObject({ name, needs: null, protectedFiles: [] });
  });

  test("of another input, or of another session, is none", () => {
    put({ ...FIRST, name: OF_INPUT.name, path: OF_INPUT.path, input: 3 }, "inputs/2.json");
    expect(readInputRecord(folder, 2)).toBeNull();
    put({ ...FIRST, name: "mmm-y-1-i2", path: "/trees/mmm-y-1-i2", input: 2 }, "inputs/2.json");
    expect(readInputRecord(folder, 2)).toBeNull();
  });

  test("are listed by their number; what else lies there is passed over", () => {
    for (const input of [10, 9, 1]) {
      const name = inputName("mmm-x-1", input);
      writeInputRecord(folder, { ...record, name, path: `/trees/${name}`, input });
    }
    writeFileSync(path.join(folder, "inputs", "2.json"), "{");
    writeFileSync(path.join(folder, "inputs", "note.txt"), "x");

    expect(inputRecords(folder).map(({ input }) => input)).toEqual([1, 9, 10]);
    expect(inputRecords(path.join(top, "none"))).toEqual([]);
  });

  test("have names that tell their number", () => {
    expect(inputNumber(inputName("mmm-x-1", 12))).toBe(12);
    expect(inputNumber("mmm-x-1")).toBeNaN();
  });
});
