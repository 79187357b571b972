import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";

import { describe, expect, onTestFinished, test } from "vitest";

import { Heard, program, tempDir } from "./helpers.ts";

async function start(
  source: string,
): Promise<{ child: ChildProcessWithoutNullStreams; heard: Heard }> {
  const child = spawn(process.execPath, [await program(tempDir(), source)], { stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const heard = new Heard();
  child.stdout.on("data", heard.take);
  child.stderr.on("data", heard.take);
  return { child, heard };
}

const WATCHING = `
  import { watchSignals } from "./src/process/signals.ts";
  const watch = watchSignals((signal) => { console.log("second", signal); process.exit(9); });
  watch.aborted.addEventListener("abort", () => console.log("first", watch.aborted.reason.signal, watch.received()));
  setInterval(() => {}, 1000);
  console.log("ready", watch.received());`;

describe("signals to mmm (spec 7)", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "the first %s aborts and leaves time to end in order",
    async (signal) => {
      const { child, heard } = await start(WATCHING);
      await heard.match(/(ready null)/);

      child.kill(signal);

      expect(await heard.match(/first (\w+) (\w+)/)).toEqual([signal, signal]);
      expect(child.exitCode).toBeNull();
    },
  );

  test("the second ends at once", async () => {
    const { child, heard } = await start(WATCHING);
    await heard.match(/(ready)/);
    child.kill("SIGINT");
    await heard.match(/(first)/);

    child.kill("SIGTERM");

    expect(await once(child, "close")).toEqual([9, null]);
    expect(heard.text).toContain("second SIGTERM");
  });

  test("the copy of a key press that npx passes on is not a second one", async () => {
    const { child, heard } = await start(
      `${WATCHING}
       watch.aborted.addEventListener("abort", () => { process.emit("SIGINT"); console.log("still here"); });`,
    );
    await heard.match(/(ready)/);

    child.kill("SIGINT");
    await heard.match(/(still here)/);

    expect(heard.text).not.toContain("second");
  });

  test("after stop() a signal ends the process as usual", async () => {
    const { child, heard } = await start(
      `${WATCHING}
       watch.stop();
       console.log("stopped");`,
    );
    await heard.match(/(stopped)/);

    child.kill("SIGTERM");

    expect(await once(child, "close")).toEqual([null, "SIGTERM"]);
  });
});
