import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeClaude, type FakeClaude } from "../support/fake-claude.ts";

let claude: FakeClaude;

beforeEach(async () => {
  claude = await fakeClaude({
    version: "2.0.5",
    calls: [
      { prompt: "second", text: "two" },
      { writes: { "a/b.txt": "hi" }, text: "one", exit: 3 },
    ],
  });
});
afterEach(() => claude.dispose());

test("the fake answers --version without taking a call", () => {
  const end = spawnSync(claude.bin, ["--version"], { encoding: "utf8" });

  expect(end.stdout).toBe("2.0.5\n");
});

test("each start takes the first fitting call, records itself, and none left exits 97", async () => {
  const run = (prompt: string) =>
    spawnSync(claude.bin, ["--print", "--", prompt], { cwd: claude.directory, encoding: "utf8" });

  const first = run("first");
  const second = run("the second");
  const third = run("third");

  expect([first.status, second.status, third.status]).toEqual([3, 0, 97]);
  expect(fs.readFileSync(path.join(claude.directory, "a/b.txt"), "utf8")).toBe("hi");
  const last = JSON.parse(second.stdout.trimEnd().split("\n").at(-1) ?? "") as { result: string };
  expect(last.result).toBe("two");
  const calls = await claude.calls();
  expect(calls.map((call) => call.call)).toEqual([1, 0, null]);
  expect(calls[0]?.argv).toEqual(["--print", "--", "first"]);
});
