import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { onAbort } from "../../src/lib/on-abort.ts";

test("many listen, in their order, and the signal has one listener", () => {
  const controller = new AbortController();
  const heard: number[] = [];

  for (let at = 0; at < 20; at += 1) onAbort(controller.signal, () => heard.push(at));
  const count = getEventListeners(controller.signal, "abort").length;
  controller.abort();

  expect(count).toBe(1);
  expect(heard).toEqual(Array.from({ length: 20 }, (_, at) => at));
});

test("who has stopped listening hears nothing, and the others do", () => {
  const controller = new AbortController();
  const heard: string[] = [];
  const listener = (): void => void heard.push("one");
  const stop = onAbort(controller.signal, listener);
  onAbort(controller.signal, listener);

  stop();
  controller.abort();

  expect(heard).toEqual(["one"]);
});
