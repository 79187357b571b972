// The bars of mmm, measured: node bench/run.mjs [BENCH...] [--tiny]; a name that there is none of tells them all.
// Exit 1: a bar is missed. --tiny: does it run at all; times are then not judged. See README.md.
import { existsSync } from "node:fs";
import process from "node:process";
import { claude } from "./claude.mjs";
import { context } from "./context.mjs";
import { output } from "./output.mjs";
import { inputsMemory, parallel, worktree } from "./parallel.mjs";
import { plan } from "./plan.mjs";
import { resume } from "./resume.mjs";
import { mmm } from "./scratch.mjs";
import { sessions } from "./sessions.mjs";
import { startup } from "./startup.mjs";
import { steps } from "./steps.mjs";

const benches = {
  startup,
  steps,
  output,
  plan,
  sessions,
  resume,
  context,
  claude,
  parallel,
  worktree,
  "inputs-memory": inputsMemory,
};

const tiny = process.argv.includes("--tiny");
const asked = process.argv.slice(2).filter((word) => word !== "--tiny");
const unknown = asked.find((word) => !Object.hasOwn(benches, word));
if (unknown !== undefined) {
  stop(`there is no bench ${unknown}; there are: ${Object.keys(benches).join(", ")}`);
} else if (!existsSync(mmm)) {
  stop(`${mmm} does not exist; npm run build makes it`);
} else {
  await main(asked.length > 0 ? asked : Object.keys(benches));
}

async function main(names) {
  console.log(row(["", "median", "min", "max", "bar", ""]));
  let missed = 0;
  for (const name of names) {
    for (const line of await benches[name]({ tiny })) {
      const verdict = verdictOf(line);
      if (verdict === "missed") missed += 1;
      console.log(row([line.name, ...figuresOf(line), verdict]));
    }
  }
  if (missed === 0) return;
  console.error(`bench: ${missed} ${missed === 1 ? "bar is" : "bars are"} missed`);
  process.exitCode = 1;
}

function verdictOf({ bar, ok, spread }) {
  if (bar === undefined) return "";
  if (ok !== undefined) return ok ? "met" : "missed";
  if (tiny) return "not judged";
  return spread.median <= bar ? "met" : "missed";
}

function figuresOf({ text, spread, unit, bar }) {
  if (text !== undefined) return [text, "", "", String(bar)];
  const digits = unit === "x" ? 2 : 0;
  const shown = (value) => `${value.toFixed(digits)} ${unit}`;
  const { median, min, max } = spread;
  return [shown(median), shown(min), shown(max), bar === undefined ? "" : `<= ${bar} ${unit}`];
}

function row([name, ...cells]) {
  return [name.padEnd(52), ...cells.map((cell) => cell.padStart(11))].join(" ").trimEnd();
}

function stop(message) {
  console.error(`bench: ${message}`);
  process.exitCode = 2;
}
