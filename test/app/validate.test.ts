import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { validate } from "../../src/app/validate.ts";
import { packageRoot } from "../support/run-cli.ts";

test.each([
  ["json", /^\{"v":1,"file":"no\.yml","problems":\[\{"code":"playbook-missing","severity":"error"/],
  ["github", /^::error file=no\.yml,line=1,.*there is no playbook no\.yml/],
] as const)(
  "a playbook that is not there is a problem in the format %s too (spec 1)",
  async (format, expected) => {
    const cwd = await mkdtemp(path.join(os.tmpdir(), "mmm-validate-"));
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    try {
      const code = await validate(
        { playbooks: ["no.yml"], format },
        {
          cwd,
          env: {},
          stdout: stdout as unknown as NodeJS.WriteStream,
          stderr: stderr as unknown as NodeJS.WriteStream,
          print: (text) => stdout.write(text),
          packageRoot,
          version: "0",
        },
      );

      expect(code).toBe(2);
      expect(String(stdout.read())).toMatch(expected);
    } finally {
      await rm(cwd, { recursive: true });
    }
  },
);

test.each([
  ["a playbook that calls no command", "- claude: look around\n- shell: make\n", []],
  ["a playbook that calls one", "- claude: /look-around\n- claude: /look-around\n", ["asked"]],
] as const)("git is asked only where a command is looked up: %s", async (_, playbook, left) => {
  const cwd = await mkdtemp(path.join(os.tmpdir(), "mmm-validate-"));
  const stream = new PassThrough() as unknown as NodeJS.WriteStream;
  try {
    await writeFile(path.join(cwd, "git"), '#!/bin/sh\necho >"$PWD/asked"\nexit 128\n', {
      mode: 0o755,
    });
    await writeFile(path.join(cwd, "p.yml"), playbook);

    await validate(
      { playbooks: ["p.yml"], format: "text" },
      {
        cwd,
        env: { PATH: cwd },
        stdout: stream,
        stderr: stream,
        print: () => {},
        packageRoot,
        version: "0",
      },
    );

    const files = await readdir(cwd);
    expect(files.filter((name) => name !== "git" && name !== "p.yml")).toEqual(left);
  } finally {
    await rm(cwd, { recursive: true });
  }
});
