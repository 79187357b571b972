/** The question at the end of a session in a worktree, on a terminal (spec 1, 8). */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { mainFile } from "../support/run-cli.ts";
import { makeRig, type Rig } from "./rig.ts";
import { leftovers, NOTHING_LEFT, sessionsIn } from "./worktree-state.ts";

const rigs: Rig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

const QUESTION = "Would you like to merge the completed worktree now? (y/N):";

/** A pseudo terminal around `mmm cook pb.yml -w`; `typed` is sent when the question stands there. */
async function answer(typed: string | null): Promise<{ rig: Rig; code: number; shown: string }> {
  const rig = await makeRig();
  rigs.push(rig);
  await rig.repo.write("pb.yml", "- shell: echo session >> README.md\n");
  const line = `'${process.execPath}' '${mainFile}' cook pb.yml -w`;
  const child = spawn("sh", ["-c", 'exec script -qec "$1" /dev/null', "sh", line], {
    cwd: rig.repo.root,
    env: { ...rig.env, TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  let asked = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (asked || !shown.includes(QUESTION)) return;
    asked = true;
    if (typed !== null) child.stdin.write(typed);
    else child.stdin.end();
  });
  const [code] = (await once(child, "close")) as [number];
  return { rig, code, shown };
}

const hasTerminal = spawnSync("sh", ["-c", "script --version"]).status === 0;

describe.runIf(hasTerminal)("the question whether to merge", () => {
  test.each(["y\r", "YES\r"])("%j merges", async (typed) => {
    const { rig, code, shown } = await answer(typed);

    expect(code, shown).toBe(0);
    expect(shown).toContain("Successfully merged worktree");
    expect(await rig.repo.read("README.md")).toBe("hello\nsession\n");
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
  });

  test.each([
    ["nothing", "\r"],
    ["n", "n\r"],
    ["something else", "yesterday\r"],
    ["Ctrl-D", "\u0004"],
    ["the end of the input", null],
  ])("%s leaves it, with the line to type", async (_, typed) => {
    const { rig, code, shown } = await answer(typed);

    const [name = ""] = sessionsIn(rig);
    expect(code, shown).toBe(0);
    expect(shown).toContain(`mmm worktree merge ${name}`);
    expect(await rig.repo.read("README.md")).toBe("hello\n");
  });
});
