// Installs what mmm is built with when it is not there: `npm run demo` and `npm test` work on a fresh clone.
// Only what Node brings along.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

const home = path.resolve(import.meta.dirname, "..", "..");

if (!existsSync(path.join(home, "node_modules", "esbuild", "package.json"))) {
  console.log("Installing what mmm is built with (once)...");
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: home,
    stdio: "inherit",
  });
  if (error !== undefined || status !== 0) {
    console.error(`npm ci failed: ${error?.message ?? `exit code ${status}`}`);
    process.exit(status ?? 1);
  }
}
