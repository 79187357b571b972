import { expect, test } from "vitest";
import { restoreLine } from "../../src/engine/restore-line.ts";

const undone = {
  kept: "refs/mmm/failed/s/1",
  start: "c0ffee",
  paths: ["a.txt", "b c.txt", "it's"],
  git: "git",
  input: null,
};

test("the line names what was undone, quoted, and nothing else (spec 5)", () => {
  expect(restoreLine(undone)).toBe(
    "git restore --source=refs/mmm/failed/s/1 -- a.txt 'b c.txt' 'it'\\''s'",
  );
});

test("from elsewhere it goes to the repository, and says which input it belongs to", () => {
  expect(restoreLine({ ...undone, paths: ["a"], git: "git -C '/my repo'", input: 3 })).toBe(
    "git -C '/my repo' restore --source=refs/mmm/failed/s/1 -- a  # input 3",
  );
});

test.each([
  ["a newline", ["a\nrm -rf x"]],
  ["an escape sequence", ["a\u001b[2J"]],
  ["pathspec magic", [":(glob)**"]],
  ["a glob", ["*"]],
  ["too many for a line", Array.from({ length: 9 }, (_, n) => String(n))],
])("names with %s are listed by git itself", (_what, paths) => {
  const line = restoreLine({ ...undone, paths });

  expect(line).toBe(
    "git diff --name-only -z c0ffee refs/mmm/failed/s/1 | git --literal-pathspecs restore " +
      "--source=refs/mmm/failed/s/1 --pathspec-from-file=- --pathspec-file-nul",
  );
});

test("a folder that became a file, or a file a folder, is brought back as a patch", () => {
  expect(restoreLine({ ...undone, paths: ["d", "d/f"] })).toBe(
    "git diff-tree -p --binary c0ffee refs/mmm/failed/s/1 | git apply --whitespace=nowarn",
  );
  expect(restoreLine({ ...undone, paths: ["d.txt", "d/f"] })).toContain(" restore ");
});
