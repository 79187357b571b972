// `npm run test:native`: the tests with the real CLI once more, with a native one (2.1.113 or newer). It is no
// dependency, for it has 377 MB. MMM_TEST_CLAUDE_BIN names the program.
import { spawnSync } from "node:child_process";
import path from "node:path";

const FILES = [
  "test/claude/real-claude.test.ts",
  "test/claude/real-options.test.ts",
  "test/e2e/real-claude.test.ts",
];
const bin = process.env.MMM_TEST_CLAUDE_BIN ?? "";
const said = bin === "" ? null : spawnSync(bin, ["--version"], { encoding: "utf8" });
if (said?.status !== 0) {
  console.error(
    `${bin === "" ? "MMM_TEST_CLAUDE_BIN is not set" : `${bin} cannot be run`}; one way to have it:\n` +
      "  npm install --prefix /tmp/claude-native @anthropic-ai/claude-code@2.1.329\n" +
      "  export MMM_TEST_CLAUDE_BIN=/tmp/claude-native/node_modules/@anthropic-ai/claude-code-linux-x64/claude",
  );
  process.exit(3);
}
console.log(`claude ${said.stdout.trim()}`);
const vitest = path.resolve(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", ...FILES], { stdio: "inherit" });
process.exit(status ?? 1);
