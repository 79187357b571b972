/** Values in prompts: what stands as text, and what goes by file (spec 3.2). */
import { describe, expect, test } from "vitest";
import { play } from "../support/fake-ports.ts";

/** What Claude was asked with `value` as `${ARG}`. */
async function prompted(prompt: string, value: string): Promise<string | undefined> {
  const { world } = await play(JSON.stringify([{ claude: prompt }]), { args: [value] });
  return world.prompts[0];
}

describe("10 000 bytes (spec 3.2)", () => {
  test.each([
    ["10 000 bytes", "a".repeat(10_000)],
    ["10 000 bytes in two-byte letters", "ü".repeat(5000)],
    ["9 999 bytes in three-byte letters", "字".repeat(3333)],
    ["10 000 bytes in four-byte letters", "😀".repeat(2500)],
  ])("%s stand as text", async (_, value) => {
    expect(await prompted("say ${ARG}", value)).toBe(`say ${value}`);
  });

  test.each([
    ["10 001 bytes", "a".repeat(10_001)],
    ["10 001 bytes in two-byte letters", `${"ü".repeat(5000)}a`],
    ["10 002 bytes in three-byte letters", "字".repeat(3334)],
    ["10 001 bytes in four-byte letters", `${"😀".repeat(2500)}a`],
  ])("%s go by file", async (_, value) => {
    expect(await prompted("say ${ARG}", value)).toMatch(/^say \/session\/outputs\/\S+\.ARG$/);
  });
});

describe("what the CLI runs or damages in a slash command's text (spec 3.2)", () => {
  test.each([
    ["a command", "!`touch x`"],
    ["a command between words", "a !`touch x` b"],
    ["a fence with a command", "```!\ntouch x\n```"],
    ["$&", "cost $& more"],
  ])(
    "%s in a value goes by file, and stands as text where there is no command",
    async (_, value) => {
      expect(await prompted("/x ${ARG}", value)).toMatch(/^\/x \/session\/outputs\/\S+$/);
      expect(await prompted("see ${ARG}", value)).toBe(`see ${value}`);
    },
  );

  test.each([
    ["/x !${ARG}", "`touch x`"],
    ["/x `!${ARG}", "`touch x`"],
    ["/x ```${ARG}", "!\ntouch x\n```"],
  ])("the author's half in %j and the value's in %j make no pair", async (prompt, value) => {
    const text = await prompted(prompt, value);
    expect(text).toBeDefined();
    expect(text).not.toContain(value);
  });

  test("two harmless values side by side make no pair either", async () => {
    const playbook = JSON.stringify([{ claude: "/x ${env.ONE}${env.TWO}" }]);
    const environment = { ONE: "now!", TWO: "`touch x`" };
    const { world } = await play(playbook, { iterations: 1, environment });
    expect(world.prompts[0]).toMatch(/^\/x /);
    expect(world.prompts[0]).not.toContain("!`");
  });
});

test("a NUL byte is refused before Claude is asked", async () => {
  const { world, of } = await play(`[{claude: "say $ARG"}]`, { args: ["a\0b"] });

  expect(world.prompts).toEqual([]);
  expect(of("attempt-finished")[0]?.failure).toMatchObject({
    reason: "value",
    message: "the value of $ARG holds a NUL byte, which no argument or variable can carry",
  });
});
