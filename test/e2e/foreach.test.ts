/** `foreach` through the real program, in every place it may stand (spec 2.8). */
import { existsSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen;

beforeEach(async () => {
  kitchen = await openKitchen([
    { prompt: "/list", times: "always", text: '{"files": ["x.js", "y.js"]}' },
    { times: "always", text: "done" },
  ]);
});
afterEach(() => kitchen.dispose());

test("at the top, in an item, in a handler, in on_success, and for each input", async () => {
  const { code, stdout } = await kitchen.cook(
    `
max_iterations: 1
steps:
  - {id: list, claude: "/list", outputs: {files: {capture: json, path: "$.files"}}}
  - foreach: "\${list.files}"
    do:
      - claude: "/mend \${item} for \${ARG}"
      - foreach: [1, 2]
        do: {shell: 'echo "\${ARG} \${item} of \${total}" >> seen.txt'}
        on_success: {foreach: {shell: "echo s"}, do: {shell: 'echo "\${ARG} \${item}" >> seen.txt'}}
  - shell: "test -f mended-\${ARG}"
    on_failure: {foreach: [h], do: {shell: 'echo "\${ARG} \${item}" >> seen.txt; touch mended-\${ARG}'}}
`,
    ["--args", "a", "--args", "b"],
  );

  expect(code).toBe(0);
  const each = (arg: string): string =>
    ["1 of 2", "2 of 2", "s", "1 of 2", "2 of 2", "s", "h"].map((l) => `${arg} ${l}\n`).join("");
  expect(await kitchen.repo.read("seen.txt")).toBe(each("a") + each("b"));
  expect(await kitchen.prompts()).toEqual(
    ["a", "b"].flatMap((arg) => ["/list", `/mend x.js for ${arg}`, `/mend y.js for ${arg}`]),
  );
  expect(stdout).toContain("Item 2/2: y.js");
  expect(
    await kitchen.repo.git("log", "-1", "--format=%(trailers:key=Mmm-Step,valueonly)"),
  ).toContain("3.on_failure.1.item.1.1");
});

test("items that a command prints are data: no code, no flags, no template", async () => {
  const hostile = [
    "$(touch canary)",
    "`touch canary`",
    "a'b\"c",
    "two  words",
    "${item}",
    "; touch canary",
    "*",
    "ümläut",
  ];
  await kitchen.repo.write(
    "items.json",
    JSON.stringify([...hostile, { path: "-n $(touch canary)" }]),
  );
  await kitchen.repo.commitAll("items");

  const { code } = await kitchen.cook(`
- foreach: {shell: "cat items.json"}
  do:
    - {shell: 'printf "%s\\n" "\${item}" >> out.txt', condition: "index < 9"}
    - {shell: 'printf "%s\\n" "\${item.path}" >> out.txt', condition: "index == 9"}
`);

  expect(code).toBe(0);
  expect(await kitchen.repo.read("out.txt")).toBe(
    `${[...hostile, "-n $(touch canary)"].join("\n")}\n`,
  );
  expect(existsSync(path.join(kitchen.repo.root, "canary"))).toBe(false);
});

test("an item that a command printed is no flag; one that the author wrote may be", async () => {
  const printed = await kitchen.cook(`
- foreach: {shell: "echo --version"}
  do: {shell: "git \${item}"}
`);
  const written = await kitchen.cook(`[{foreach: [--version], do: {shell: "git \${item}"}}]`);

  expect(printed.code).toBe(1);
  expect(printed.stderr).toMatch(/--version/);
  expect(written.code).toBe(0);
});

test("json tells each item, and an empty list is told to people", async () => {
  const json = await kitchen.cook(`[{foreach: [a, b], do: {shell: "true"}}]`, [
    "--reporter",
    "json",
  ]);
  const empty = await kitchen.cook(`[{foreach: {shell: "true"}, do: {shell: "false"}}]`);

  const events = json.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.filter(({ type }) => String(type).startsWith("item"))).toMatchObject([
    { type: "items-listed", total: 2, done: 0 },
    { type: "item-started", index: 1, total: 2, item: "a", at: { step: "1", kind: "foreach" } },
    { type: "item-finished", index: 1, conclusion: "succeeded", failure: null },
    { type: "item-started", index: 2 },
    { type: "item-finished", index: 2 },
  ]);
  expect(empty.code).toBe(0);
  expect(empty.stdout).toContain("the list is empty");
});

describe("resumed (spec 7)", () => {
  const WAITING = `
max_iterations: 1
steps:
  - foreach: {shell: "echo listed >> ../lists; printf '%s\\n' a b c"}
    id: loop
    do:
      - claude: "/do \${item}"
      - shell: 'echo \${item} >> ../ran; echo \${item} > \${item}.txt; test \${item} != b || { touch ../started; while ! test -f ../go; do sleep 0.05; done; }'
  - {shell: 'echo "\${loop.commits}" > end.txt'}
`;
  const outside = (file: string): string => path.join(kitchen.repo.root, "..", file);

  async function killedInSecond(): Promise<void> {
    await kitchen.cook(WAITING, [], {
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!existsSync(outside("started"))) return;
          clearInterval(timer);
          child.kill("SIGKILL");
        }, 10);
      },
    });
    await kitchen.repo.write("../go", "");
  }

  test("killed in item 2 of 3: the list is not made again, and no finished step is run again", async () => {
    await killedInSecond();
    const before = await kitchen.prompts();

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 0 });
    expect(before).toEqual(["/do a", "/do b"]);
    expect(await kitchen.prompts()).toEqual(["/do a", "/do b", "/do c"]);
    expect(await kitchen.repo.read("../lists")).toBe("listed\n");
    expect(await kitchen.repo.read("../ran")).toBe("a\nb\nb\nc\n");
    expect(await kitchen.repo.read("end.txt")).toBe("3\n");
    expect(result.stdout).toContain("Item 2/3: b");
    expect(result.stdout).not.toContain("Item 1/3");
    expect(await kitchen.repo.git("status", "--porcelain", "--", ":!pb.yml")).toBe("");
  });

  test("with another step in the loop it is refused: an item was done with the old one", async () => {
    await killedInSecond();
    await kitchen.repo.write("pb.yml", WAITING.replace("/do", "/redo"));

    const refused = await kitchen.mmm(["resume"]);
    const forced = await kitchen.mmm(["resume", "--force"]);

    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toContain("step 1");
    expect(forced).toMatchObject({ code: 0 });
    expect((await kitchen.prompts()).slice(2)).toEqual(["/redo a", "/redo b", "/redo c"]);
  });
});
