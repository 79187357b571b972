// The yardstick of the bar: what steps cost when nobody checks, records or shows anything.
// usage: node bare.mjs REPOSITORY STEPS
import { spawn } from "node:child_process";
import process from "node:process";

const [repository, steps] = process.argv.slice(2);

for (let step = 0; step < Number(steps); step += 1) {
  await run("sh", ["-c", "true"]);
  await run("git", ["status", "--porcelain=v2", "--branch", "-z"]);
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: repository });
    child.stdout.resume();
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} exited with ${code}`)),
    );
  });
}
