// `mmm --version` and `--help` read nothing but the command tree. Counted, not timed.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { inRepository, mmm, spread, time } from "./scratch.mjs";

const register = fileURLToPath(new URL("note-modules.mjs", import.meta.url));

/** Packages, and folders of `src/`, that the command tree is made of. */
const allowed = new Set([
  "commander",
  // What stands in for it until commander uses it (esbuild.config.mjs).
  "lazy-children:node:child_process",
  "src/main.ts",
  "src/cli",
  "src/lib",
  "src/errors.ts",
]);

/** What people write: a handler, an output, a reference, a Claude step. */
const usual = `- claude: "look for what can be mended"
  id: look
  outputs: { found: { capture: text } }
- claude: "mend it: \${found}"
- shell: npm test
  timeout: 5m
  on_failure: { max_attempts: 2, claude: "mend \${shell.output}" }
`;

/** And what mmm ships: its command files are looked up and read, and each call has a warning with its line. */
const calling = `- mmm-lint
- name: mmm-code-review
  outputs: { found: { capture: count, pattern: "## Issues" } }
- name: mmm-implement-spec
  condition: "\${found} > 0"
- shell: npm test
  on_failure: { max_attempts: 2, claude: "/mmm-debug-test-failure" }
`;

export async function startup({ tiny }) {
  return await inRepository({ "usual.yml": usual, "calling.yml": calling }, async (place) => {
    const lines = [];
    for (const flag of ["--version", "--help"]) {
      const parts = partsOf(modulesOf([flag], place));
      const more = [...parts].filter((part) => !allowed.has(part));
      lines.push({
        name: `mmm ${flag} loads`,
        text: [...parts].join(", "),
        bar: "the command tree",
        ok: parts.has("commander") && more.length === 0,
      });
    }
    const ratios = [];
    const checks = [];
    const calls = [];
    const firsts = [];
    // As a first start is, each time: nothing that V8 compiled is kept.
    const anew = { ...place, env: { ...place.env, NODE_DISABLE_COMPILE_CACHE: "1" } };
    for (let run = 0; run < (tiny ? 1 : 15); run += 1) {
      const nothing = await time(["-e", "0"], place);
      ratios.push((await time([mmm, "--version"], place)) / nothing);
      checks.push((await time([mmm, "validate", "usual.yml"], place)) / nothing);
      calls.push((await time([mmm, "validate", "calling.yml"], place)) / nothing);
      firsts.push((await time([mmm, "validate", "usual.yml"], anew)) / nothing);
    }
    lines.push({ name: "mmm --version / node -e 0", spread: spread(ratios), unit: "x" });
    lines.push({ name: "mmm validate / node -e 0", spread: spread(checks), unit: "x", bar: 2.2 });
    lines.push({ name: "the same, of commands that mmm ships", spread: spread(calls), unit: "x" });
    lines.push({ name: "validate, nothing kept", spread: spread(firsts), unit: "x" });
    return lines;
  });
}

/** Files of `dist/` that node loaded. */
function modulesOf(args, { repository, env }) {
  const log = path.join(env.HOME, `modules-${args.join("")}`);
  execFileSync(process.execPath, ["--import", register, mmm, ...args], {
    cwd: repository,
    env: { ...env, MMM_BENCH_MODULES: log },
  });
  return new Set(readFileSync(log, "utf8").trimEnd().split("\n"));
}

/** Their source maps tell what they were made of. */
function partsOf(modules) {
  const parts = new Set();
  for (const file of modules) {
    const { sources } = JSON.parse(readFileSync(`${file}.map`, "utf8"));
    // A file of esbuild's own has no source but itself.
    for (const source of sources) if (!source.startsWith("chunk-")) parts.add(partOf(source));
  }
  return parts;
}

function partOf(source) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)|(src\/[^/]+)/.exec(source);
  return found?.[1] ?? found?.[2] ?? source;
}
