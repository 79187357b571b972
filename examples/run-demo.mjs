// `npm run demo`: on a fresh clone, with Node and git alone, cook examples/demo.yml with a recorded Claude.
// Only what Node brings along: it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const home = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const examples = path.join(home, "examples");
const main = path.join(home, "dist", "main.js");

/** Runs a program before our eyes; its failure is ours. */
function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error !== undefined || status !== 0) {
    console.error(
      `\n${command} ${args.join(" ")} failed: ${error?.message ?? `exit code ${status}`}`,
    );
    process.exit(status ?? 1);
  }
}

run(process.execPath, [path.join(home, "test", "support", "install.mjs")]);
run("npm", ["run", "--silent", "build"], { cwd: home });

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), "mmm-demo-")));
cpSync(path.join(examples, "demo-project"), scratch, { recursive: true });
const git = (...args) => run("git", ["-C", scratch, ...args]);
git("init", "--quiet", "--initial-branch=main");
git("config", "user.name", "mmm demo");
git("config", "user.email", "demo@example.invalid");
git("config", "commit.gpgSign", "false");
git("add", "--all");
git("commit", "--quiet", "--message", "chore: a small program with a failing test");

console.log(`\nA scratch repository: ${scratch}`);
console.log("$ mmm cook demo --replay demo.recording.jsonl\n");
run(
  process.execPath,
  [main, "cook", "demo", "--replay", path.join(examples, "demo.recording.jsonl")],
  { cwd: scratch },
);

console.log("\n$ git log --oneline");
git("--no-pager", "log", "--oneline");
if (process.argv.includes("--clean")) {
  rmSync(scratch, { recursive: true, force: true });
  process.exit(0);
}
console.log(`
Claude's answers came from a recording: nothing was asked, nothing was paid. With the real Claude CLI,
in a repository of yours:

  node ${main} init
  node ${main} cook default
`);
