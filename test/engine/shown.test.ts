/** What people see of a command (spec 10): the author's text with its values in it. */
import { expect, test } from "vitest";

import { shownShell, shownSubject } from "../../src/engine/shown.ts";
import { compileShellText } from "../../src/values/shell/compile.ts";
import type { Resolved } from "../../src/values/shell/render.ts";

function shown(
  source: string,
  values: Readonly<Record<string, Resolved>>,
  paths: ReadonlyMap<string, string> = new Map(),
): string {
  const { text } = compileShellText(source, () => true);
  if (text === null) throw new Error(`refused: ${source}`);
  return shownShell(text, new Map(Object.entries(values)), { paths, mask: (value) => value });
}

const own = (value: Resolved["value"]): Resolved => ({ value, foreign: false });

test("references are replaced by their values, quotes and all else stay", () => {
  expect(
    shown("test ${a.b} -ge 80 && echo \"$HOME: ${l}\" '${e:-none}'", {
      "${a.b}": own(65),
      "${l}": own(["x y", "$(id)"]),
      "${e:-none}": own(""),
    }),
  ).toBe("test 65 -ge 80 && echo \"$HOME: x y $(id)\" 'none'");
});

test("what is raw is seen too, and what looks like a reference in a value is text", () => {
  expect(
    shown("sh -c ${a.b|raw}; echo ${c.d}", { "${a.b|raw}": own("${c.d}"), "${c.d}": own(1) }),
  ).toBe("sh -c ${c.d}; echo 1");
});

test("a long value is cut to 200 letters, one that goes by file is its path", () => {
  const long = "📦".repeat(201);
  const values = {
    "${a.b}": own(long),
    "${c.d|file}": own("text"),
    "${e.f}": { value: long, foreign: true, file: "/out/3" },
    "${g.h}": own("text"),
  };

  expect(
    shown("a ${a.b}\nb ${c.d|file} ${e.f} ${g.h}", values, new Map([["text", "/out/2"]])),
  ).toBe(`a ${"📦".repeat(199)}…\nb /out/2 /out/3 text`);
});

test("a subject is the first line, at most 72 letters", () => {
  expect(shownSubject("\n  make all \nmake test")).toBe("make all");
  expect(shownSubject("x".repeat(72))).toBe("x".repeat(72));
  expect(shownSubject("x".repeat(2000))).toBe(`${"x".repeat(71)}…`);
});
