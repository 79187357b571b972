import { defineConfig } from "vitest/config";

/** Pure code, no processes. */
const unit = ["playbook", "steps", "engine", "values", "lib", "report"];

/** Until something is so that another process brings about: 1 s, the usual, is little on a busy machine. */
const expect = { poll: { timeout: 30_000 } };

const setupFiles = ["./test/support/property-seed.ts"];

export default defineConfig({
  test: {
    // Most tests wait for a program they have started: one worker a core, not one less.
    maxWorkers: "100%",
    reporters: ["default", "./test/support/summary-reporter.ts"],
    coverage: { provider: "v8", include: ["src/**"], thresholds: { lines: 90, branches: 85 } },
    projects: [
      {
        test: {
          expect,
          setupFiles,
          name: "unit",
          include: unit.map((room) => `test/${room}/**/*.test.ts`),
          testTimeout: 60_000,
        },
      },
      {
        test: {
          expect,
          setupFiles,
          name: "integration",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", ...unit.map((room) => `test/${room}/**`)],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          expect,
          setupFiles,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
