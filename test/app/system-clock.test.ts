/** The clock of a real session; waits are by the clock on the wall (spec 6.5, `--wait`). */
import { expect, test } from "vitest";
import { systemClock } from "../../src/app/world.ts";

test("a sleep ends after its time, and not before", async () => {
  const began = Date.now();

  await systemClock.sleep(20, new AbortController().signal);

  expect(Date.now() - began).toBeGreaterThanOrEqual(20);
});

test("a sleep of a month ends at once when mmm is told to stop, before or while it sleeps", async () => {
  const month = 30 * 86_400_000;
  const stop = new AbortController();

  const asleep = systemClock.sleep(month, stop.signal);
  stop.abort();

  await expect(asleep).resolves.toBeUndefined();
  await expect(systemClock.sleep(month, stop.signal)).resolves.toBeUndefined();
});

test("how long until a time; what is no time is no number", () => {
  const later = new Date(Date.now() + 3_600_000).toISOString();

  expect(systemClock.msUntil(later)).toBeGreaterThan(3_500_000);
  expect(systemClock.msUntil("1970-01-01T00:00:00Z")).toBeLessThan(0);
  expect(systemClock.msUntil("soon")).toBeNaN();
});
