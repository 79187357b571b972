import { mkdtemp, rm } from "node:fs/promises";
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
