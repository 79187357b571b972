/** No input, however wrong, ends in a stack trace, a hang or an exit code outside the table (spec 1.1). */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectDecent, makeRig, type Rig, type RunOptions } from "./rig.ts";

const FINE = '- shell: "true"\n';

interface Case {
  readonly title: string;
  readonly args: readonly string[];
  readonly code: number;
  /** On stderr or stdout. */
  readonly says: RegExp;
  readonly run?: RunOptions;
}

describe("a wrong command line", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await makeRig({
      files: {
        "p.yml": FINE,
        "arg.yml": '- shell: "printf %s $ARG >/dev/null"\n',
        "notes.txt": "x",
        "empty.yml": "",
        "scalar.yml": "just words\n",
        "tabs.yml": "steps:\n\t- shell: x\n",
        "proto.yml": "__proto__:\n  steps: []\nsteps:\n  - shell: x\n",
        "anchors.yml": `a: &a [x,x,x,x,x,x,x,x,x]\n${["b", "c", "d", "e", "f", "g", "h"].map((k, i) => `${k}: &${k} [${`*${"abcdefgh"[i]},`.repeat(9)}]`).join("\n")}\nsteps: *h\n`,
        "deep.yml": `${"[".repeat(20_000)}\n`,
        "deep.json": '{"a":'.repeat(20_000),
        "nan.yml": "max_iterations: .nan\nsteps:\n  - shell: x\n",
        "huge-number.yml": "max_iterations: 1e400\nsteps:\n  - shell: x\n",
        "types.yml": "- shell: [1]\n- shell: 7\n- 3.5\n- null\n- true\n",
        "two.yml": "- shell: x\n---\n- shell: y\n",
        "tag.yml": '- !!js/function "x"\n',
        "merge-key.yml": "- <<: {shell: x}\n",
        "null-key.yml": "- ? \n  : x\n",
        "complex-key.yml": "- ? [a, b]\n  : x\n",
        "regex.yml":
          '- shell: echo x\n  id: a\n  outputs: {x: {capture: text, pattern: "/(a+)+$/"}}\n',
        "bad-regex.yml":
          '- shell: echo x\n  id: a\n  outputs: {x: {capture: text, pattern: "/(/"}}\n',
        "bad-path.yml":
          '- shell: echo x\n  id: a\n  outputs: {x: {capture: json, path: "$[?(@.constructor.constructor(1))]"}}\n',
        "timeout.yml": "- shell: x\n  timeout: 99999999999h\n",
        "unknown-command.yml": '- "/mmm-does-not-exist"\n',
        "escape.yml": "- shell: x\n  working_dir: ../..\n",
        "spaces and ümläut.yml": "- shel: x\n",
        "odd-binary.yml": '- shell: !!binary "@@@"\n',
        "parens.yml": `- shell: x\n  condition: "${"(".repeat(10_000)}1${")".repeat(10_000)}"\n`,
        "long-pattern.yml": `- shell: x\n  outputs: {x: {capture: text, pattern: "/${"(a*)*".repeat(20_000)}/"}}\n`,
        "long-retry.yml": `- shell: x\n  retry: {retry_on: [{pattern: "/${"(a*)*".repeat(20_000)}/"}]}\n`,
        "long-path.yml": `- shell: x\n  outputs: {x: {capture: json, path: "$${"..*".repeat(35_000)}"}}\n`,
        "long-until.yml": `until: "${"!".repeat(100_000)}true"\nsteps: [{shell: x}]\n`,
      },
    });
    await fs.writeFile(path.join(rig.repo.root, "binary.yml"), Buffer.from([0, 255, 254, 0, 1, 2]));
    await fs.writeFile(
      path.join(rig.repo.root, "latin.yml"),
      Buffer.from("- shell: \xe4\n", "latin1"),
    );
    await fs.writeFile(
      path.join(rig.repo.root, "utf16.yml"),
      Buffer.from("\ufeff- shell: x\n", "utf16le"),
    );
    await fs.writeFile(path.join(rig.repo.root, "noise.yml"), Buffer.alloc(5_000_000, "@{[%"));
    await fs.writeFile(path.join(rig.repo.root, "lines.yml"), "- a: b\n".repeat(200_000));
    await fs.truncate(path.join(rig.repo.root, "notes.txt"), 0);
    await fs.writeFile(path.join(rig.repo.base, "sparse.yml"), "");
    await fs.truncate(path.join(rig.repo.base, "sparse.yml"), 3_000_000_000);
    await fs.symlink("loop.yml", path.join(rig.repo.root, "loop.yml"));
    await fs.symlink("gone.yml", path.join(rig.repo.root, "dangling.yml"));
    spawnSync("mkfifo", [
      path.join(rig.repo.root, "pipe.yml"),
      path.join(rig.repo.root, "pipe.jsonl"),
    ]);
    await fs.mkdir(path.join(rig.repo.root, "folder.yml"));
  });
  afterAll(async () => rig.dispose());

  const usage: readonly Case[] = [
    { title: "an unknown command", args: ["coook"], code: 2, says: /cook/ },
    {
      title: "an unknown option",
      args: ["cook", "p.yml", "--paralel"],
      code: 2,
      says: /unknown option/,
    },
    { title: "no playbook", args: ["cook"], code: 2, says: /no playbook was named/ },
    {
      title: "two playbooks",
      args: ["cook", "p.yml", "p.yml"],
      code: 2,
      says: /too many arguments/,
    },
    { title: "an empty playbook name", args: ["cook", ""], code: 2, says: /playbook/ },
    {
      title: "a playbook that is not there",
      args: ["cook", "q.yml"],
      code: 2,
      says: /there is no playbook q\.yml/,
    },
    {
      title: "a very long name",
      args: ["cook", "x".repeat(5000)],
      code: 2,
      says: /there is no playbook/,
    },
    {
      title: "a name below a file",
      args: ["cook", "p.yml/x.yml"],
      code: 2,
      says: /there is no playbook/,
    },
    {
      title: "a name with an escape sequence",
      args: ["cook", "\u001b]0;title\u0007\u001b[2Jx"],
      code: 2,
      says: /there is no playbook/,
    },
    { title: "a directory", args: ["cook", "folder.yml"], code: 2, says: /is a directory/ },
    { title: "/dev/zero", args: ["cook", "/dev/zero"], code: 2, says: /not a (regular )?file/ },
    {
      title: "/dev/null",
      args: ["cook", "/dev/null"],
      code: 2,
      says: /not a (regular )?file|empty/,
    },
    { title: "a FIFO", args: ["cook", "pipe.yml"], code: 2, says: /not a (regular )?file/ },
    {
      title: "a FIFO to validate",
      args: ["validate", "pipe.yml"],
      code: 2,
      says: /not a (regular )?file/,
    },
    { title: "a loop of links", args: ["cook", "loop.yml"], code: 2, says: /loop\.yml/ },
    { title: "a dangling link", args: ["cook", "dangling.yml"], code: 2, says: /dangling\.yml/ },
    { title: "an empty file", args: ["cook", "empty.yml"], code: 2, says: /empty\.yml:1:1/ },
    { title: "a text", args: ["cook", "scalar.yml"], code: 2, says: /scalar\.yml:1:1/ },
    { title: "a binary", args: ["cook", "binary.yml"], code: 2, says: /binary\.yml/ },
    { title: "Latin-1", args: ["cook", "latin.yml"], code: 2, says: /UTF-8/ },
    { title: "UTF-16", args: ["cook", "utf16.yml"], code: 2, says: /UTF-8|UTF-16/ },
    { title: "5 MB of noise", args: ["cook", "noise.yml"], code: 2, says: /noise\.yml/ },
    { title: "200 000 wrong steps", args: ["cook", "lines.yml"], code: 2, says: /lines\.yml/ },
    { title: "a file of 3 GB", args: ["cook", "../sparse.yml"], code: 2, says: /MiB/ },
    { title: "tabs", args: ["cook", "tabs.yml"], code: 2, says: /tabs\.yml:2:1/ },
    { title: "__proto__", args: ["cook", "proto.yml"], code: 2, says: /__proto__/ },
    { title: "an alias bomb", args: ["cook", "anchors.yml"], code: 2, says: /anchors\.yml/ },
    {
      title: "10 000 parens",
      args: ["cook", "parens.yml"],
      code: 2,
      says: /parens\.yml:2:\d+ condition-too-long/,
    },
    {
      title: "a pattern of 100 KB",
      args: ["cook", "long-pattern.yml"],
      code: 2,
      says: /long-pattern\.yml:2:\d+.*longer than 1000/,
    },
    {
      title: "a pattern of 100 KB to retry on",
      args: ["cook", "long-retry.yml"],
      code: 2,
      says: /long-retry\.yml:2:\d+.*longer than 1000/,
    },
    {
      title: "a path of 100 KB",
      args: ["cook", "long-path.yml"],
      code: 2,
      says: /long-path\.yml:2:\d+.*longer than 1000/,
    },
    {
      title: "100 KB of until",
      args: ["cook", "long-until.yml"],
      code: 2,
      says: /long-until\.yml:1/,
    },
    { title: "20 000 brackets", args: ["cook", "deep.yml"], code: 2, says: /deep\.yml/ },
    { title: "20 000 braces of JSON", args: ["cook", "deep.json"], code: 2, says: /deep\.json/ },
    { title: "not a number", args: ["cook", "nan.yml"], code: 2, says: /nan\.yml:1/ },
    {
      title: "a number without end",
      args: ["cook", "huge-number.yml"],
      code: 2,
      says: /huge-number\.yml:1/,
    },
    { title: "numbers for steps", args: ["cook", "types.yml"], code: 2, says: /types\.yml:3:3/ },
    { title: "two documents", args: ["cook", "two.yml"], code: 2, says: /two\.yml:2/ },
    { title: "a foreign tag", args: ["cook", "tag.yml"], code: 2, says: /tag\.yml:1/ },
    { title: "a merge key", args: ["cook", "merge-key.yml"], code: 2, says: /merge-key\.yml:1/ },
    { title: "an empty key", args: ["cook", "null-key.yml"], code: 2, says: /null-key\.yml:1/ },
    {
      title: "a list as key",
      args: ["cook", "complex-key.yml"],
      code: 2,
      says: /complex-key\.yml:1/,
    },
    {
      title: "a pattern that is none",
      args: ["cook", "bad-regex.yml"],
      code: 2,
      says: /bad-regex\.yml:3/,
    },
    {
      title: "a JSON path with a script",
      args: ["cook", "bad-path.yml"],
      code: 2,
      says: /bad-path\.yml:3/,
    },
    {
      title: "a timeout of ten million years",
      args: ["cook", "timeout.yml"],
      code: 2,
      says: /timeout\.yml:2/,
    },
    {
      title: "a command nobody has",
      args: ["cook", "unknown-command.yml", "--allow-dirty"],
      code: 2,
      says: /unknown-command\.yml:1/,
    },
    {
      title: "a playbook with umlauts in its name",
      args: ["cook", "spaces and ümläut.yml"],
      code: 2,
      says: /spaces and ümläut\.yml:1:3/,
    },
    {
      title: "a text that its tag calls binary and that is none",
      args: ["cook", "odd-binary.yml", "--allow-dirty"],
      code: 1,
      says: /@@@/,
    },
    {
      title: "a directory to leave the project by",
      args: ["cook", "escape.yml", "--allow-dirty"],
      code: 1,
      says: /inside the repository|outside/,
    },
    { title: "-n 0", args: ["cook", "p.yml", "-n", "0"], code: 2, says: /1 to 1000/ },
    { title: "-n -1", args: ["cook", "p.yml", "-n", "-1"], code: 2, says: /1 to 1000/ },
    { title: "-n 1e9", args: ["cook", "p.yml", "-n", "1e9"], code: 2, says: /1 to 1000/ },
    { title: "-n abc", args: ["cook", "p.yml", "-n", "abc"], code: 2, says: /1 to 1000/ },
    {
      title: "-n without a number",
      args: ["cook", "p.yml", "-n"],
      code: 2,
      says: /argument missing/,
    },
    {
      title: "a wrong reporter",
      args: ["cook", "p.yml", "--reporter", "xml"],
      code: 2,
      says: /pretty, plain, json/,
    },
    {
      title: "record and replay",
      args: ["cook", "p.yml", "--record", "a", "--replay", "b"],
      code: 2,
      says: /exclude each other/,
    },
    { title: "$ARG without inputs", args: ["cook", "arg.yml"], code: 2, says: /ARG/ },
    {
      title: "--map without a match",
      args: ["cook", "arg.yml", "--map", "*.nope"],
      code: 2,
      says: /matches no file/,
    },
    { title: "--map of nothing", args: ["cook", "arg.yml", "--map", ""], code: 2, says: /--map/ },
    {
      title: "--map with unclosed brackets",
      args: ["cook", "arg.yml", "--map", "[[[((("],
      code: 2,
      says: /matches no file/,
    },
    {
      title: "--map with a range of a billion",
      args: ["cook", "arg.yml", "--map", "{1..1000000000}"],
      code: 2,
      says: /--map|matches no file/,
    },
    {
      title: "--map with nested groups",
      args: ["cook", "arg.yml", "--map", `${"+(a|".repeat(30)}b${")".repeat(30)}`],
      code: 2,
      says: /matches no file/,
    },
    {
      title: "--map with many stars",
      args: ["cook", "arg.yml", "--map", "*a".repeat(25)],
      code: 2,
      says: /too many stars/,
    },
    {
      title: "--map of 100 KB",
      args: ["cook", "arg.yml", "--map", "x".repeat(100_000)],
      code: 2,
      says: /--map|matches no file/,
    },
    {
      title: "--map outside of the repository",
      args: ["cook", "arg.yml", "--map", "../home/.git*"],
      code: 2,
      says: /outside the repository/,
    },
    {
      title: "--path that is missing",
      args: ["cook", "p.yml", "--path", "nowhere"],
      code: 2,
      says: /does not exist/,
    },
    {
      title: "--path that is a file",
      args: ["cook", "p.yml", "--path", "p.yml"],
      code: 2,
      says: /not a directory/,
    },
    {
      title: "--path below a file",
      args: ["cook", "p.yml", "--path", "p.yml/x"],
      code: 2,
      says: /does not exist/,
    },
    {
      title: "--path ~ of somebody without a home",
      args: ["cook", "p.yml", "--path", "~/x"],
      code: 2,
      says: /does not exist/,
      run: { env: { HOME: undefined } },
    },
    {
      title: "--path that is a FIFO",
      args: ["cook", "p.yml", "--path", "pipe.yml"],
      code: 2,
      says: /not a directory/,
    },
    {
      title: "init outside of a repository",
      args: ["init", "--path", "/"],
      code: 3,
      says: /not inside a git repository/,
    },
    {
      title: "init of an unknown command",
      args: ["init", "-c", "mmm-nonsense"],
      code: 2,
      says: /mmm-nonsense/,
    },
    {
      title: "validate without a file",
      args: ["validate"],
      code: 2,
      says: /missing required argument/,
    },
    {
      title: "validate of what is not there",
      args: ["validate", "no.yml"],
      code: 2,
      says: /no\.yml/,
    },
    {
      title: "validate with a wrong format",
      args: ["validate", "p.yml", "--format", "xml"],
      code: 2,
      says: /text, json, github/,
    },
  ];

  test.each(usage)(
    "$title is exit $code with a word about it",
    async ({ args, code, says, run }) => {
      const ran = await rig.mmm(args, { ...run, deadlineMs: 100_000 });

      expectDecent(ran, [code]);
      expect(ran.stderr).toMatch(says);
      expect(ran.stderr).not.toMatch(/\u001b\]|\u001b\[2J/);
      expect(ran.stderr.length).toBeLessThan(200_000);
    },
  );
});
