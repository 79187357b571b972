/** What git of mmm finds in its environment (spec 5). */
import { expect, it } from "vitest";
import { pinnedEnvironment, plainEnvironment, userEnvironment } from "../../src/git/environment.ts";

it("never asks, whatever the caller's environment says", () => {
  const user = userEnvironment({ GIT_TERMINAL_PROMPT: "1", GIT_EDITOR: "vi", HOME: "/h" });
  const never = { GIT_TERMINAL_PROMPT: "0", GIT_EDITOR: "true", GIT_SEQUENCE_EDITOR: "true" };

  expect(user).toEqual({ HOME: "/h", ...never });
  expect(plainEnvironment(user)).toMatchObject(never);
  expect(pinnedEnvironment(user, { root: "/r", gitDir: "/r/.git" })).toMatchObject(never);
});
