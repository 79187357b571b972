import { expect, test } from "vitest";

import { chooseColor, chooseReporter } from "../../src/report/choose.ts";

test.each([
  ["a terminal moves", { isTTY: true, flag: null, env: {} }, "pretty"],
  ["a pipe does not", { isTTY: false, flag: null, env: {} }, "plain"],
  ["CI does not", { isTTY: true, flag: null, env: { CI: "true" } }, "plain"],
  ["CI=false is no CI", { isTTY: true, flag: null, env: { CI: "false" } }, "pretty"],
  ["an empty CI is no CI", { isTTY: true, flag: null, env: { CI: "" } }, "pretty"],
  ["a dumb terminal does not", { isTTY: true, flag: null, env: { TERM: "dumb" } }, "plain"],
  ["--reporter wins", { isTTY: false, flag: "pretty", env: { CI: "1" } }, "pretty"],
  ["--reporter json wins", { isTTY: true, flag: "json", env: {} }, "json"],
] as const)("%s (spec 1)", (_title, from, kind) => {
  expect(chooseReporter(from)).toBe(kind);
});

test.each([
  ["a terminal has colour", { isTTY: true, env: { TERM: "xterm" } }, 1],
  ["256 colours", { isTTY: true, env: { TERM: "screen-256color" } }, 2],
  ["true colour", { isTTY: true, env: { COLORTERM: "truecolor" } }, 3],
  ["a pipe has none", { isTTY: false, env: { TERM: "xterm", COLORTERM: "truecolor" } }, 0],
  ["NO_COLOR on a terminal", { isTTY: true, env: { NO_COLOR: "1" } }, 0],
  ["an empty NO_COLOR says nothing", { isTTY: true, env: { NO_COLOR: "" } }, 1],
  ["never against NO_COLOR", { isTTY: true, env: { NO_COLOR: "1", FORCE_COLOR: "3" } }, 0],
  ["an empty FORCE_COLOR says nothing", { isTTY: false, env: { FORCE_COLOR: "" } }, 0],
  ["FORCE_COLOR=0", { isTTY: true, env: { FORCE_COLOR: "0" } }, 0],
  ["FORCE_COLOR=false", { isTTY: true, env: { FORCE_COLOR: "false" } }, 0],
  ["FORCE_COLOR=2 through a pipe", { isTTY: false, env: { FORCE_COLOR: "2" } }, 2],
  ["FORCE_COLOR=true through a pipe", { isTTY: false, env: { FORCE_COLOR: "true" } }, 1],
  ["FORCE_COLOR=true, dumb", { isTTY: true, env: { FORCE_COLOR: "true", TERM: "dumb" } }, 1],
  ["a dumb terminal", { isTTY: true, env: { TERM: "dumb", COLORTERM: "truecolor" } }, 0],
] as const)("colour: %s (spec 10)", (_title, from, level) => {
  expect(chooseColor(from)).toBe(level);
});
