/** `continue_session`: which conversation a Claude step goes on with (spec 2.1). */
import { expect, test } from "vitest";
import { play } from "../support/fake-ports.ts";

const once = { iterations: 1 };

test("true is the latest Claude step, an id the step of that id, whatever stands between", async () => {
  const playbook = `
    - {claude: one, id: first}
    - shell: print x
    - {claude: two, id: second}
    - claude: {prompt: three, continue_session: true}
    - claude: {prompt: four, continue_session: first}
    - claude: {prompt: five, continue_session: true}
  `;

  const { world } = await play(playbook, once);

  expect(world.prompts).toEqual(["one", "two", "three", "four", "five"]);
  expect(world.resumed).toEqual([null, null, "conversation-2", "conversation-1", "conversation-1"]);
});

test("a further attempt goes on with the same conversation as the first one", async () => {
  const playbook = `
    - claude: plan
    - claude: {prompt: build, continue_session: true}
      on_failure: {do: [{claude: repair}], max_attempts: 2}
  `;

  const { world } = await play(playbook, { ...once, claude: { build: ["exit 1", "print ok"] } });

  expect(world.prompts).toEqual(["plan", "build", "repair", "build"]);
  expect(world.resumed).toEqual([null, "conversation-1", null, "conversation-1"]);
});

test("conversations do not survive an iteration (3.1)", async () => {
  const playbook = `
    - claude: one
    - claude: {prompt: two, continue_session: true}
  `;
  const acts = { one: ["write a.txt 1", "write a.txt 2"] };

  const { world } = await play(playbook, { iterations: 2, claude: acts });

  expect(world.resumed).toEqual([null, "conversation-1", null, "conversation-3"]);
});

test("a step whose source had no conversation is refused, and nothing is paid for", async () => {
  const playbook = `
    - shell: write a.txt x
    - {claude: look, id: look}
    - {claude: "implement \${look.spec}", id: first}
    - claude: {prompt: two, continue_session: first}
  `;

  const { world, of } = await play(playbook, once);

  expect(world.prompts).toEqual(["look"]);
  expect(of("step-finished").at(-1)?.failure?.message).toBe(
    "there is no conversation to go on with: step first has had none in this iteration",
  );
});
