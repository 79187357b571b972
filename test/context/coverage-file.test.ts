/** Coverage reports as gates read them (spec 2.6). */
import { mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { coverageAt, newestCoverage } from "../../src/context/coverage-file.ts";
import { createProject } from "../../src/context/project-port.ts";
import { useScratch, writeFiles } from "../support/scratch-repo.ts";

const scratch = useScratch();
const lcov = "SF:a\nDA:1,1\nDA:2,0\nend_of_record\n";

function folder(files: Readonly<Record<string, string>>): string {
  const root = scratch.folder();
  writeFiles(root, files);
  return root;
}

describe("a coverage report", () => {
  it("is read relative to where steps run; its stamp changes when it is written again", async () => {
    const root = folder({ "app/coverage/lcov.info": lcov });
    const where = { root, cwd: path.join(root, "app") };

    const first = await coverageAt(where, "coverage/lcov.info");
    const again = await coverageAt(where, "coverage/lcov.info");
    utimesSync(path.join(root, "app/coverage/lcov.info"), 1, 1);
    const later = await coverageAt(where, "coverage/lcov.info");

    expect(first).toMatchObject({ kind: "read", figure: 50, file: "coverage/lcov.info" });
    expect(again).toEqual(first);
    expect(later).not.toEqual(first);
  });

  it.each([
    ["empty", "", "it is empty"],
    ["of another kind", "hello", "its format is not known"],
    ["without lines", "SF:a\nend_of_record\n", "it counts no lines"],
  ])("that is %s cannot be used", async (_name, text, why) => {
    const root = folder({ "lcov.info": text });

    expect(await coverageAt({ root, cwd: root }, "lcov.info")).toEqual({
      kind: "unreadable",
      file: "lcov.info",
      why,
    });
  });

  it("that is missing, a folder, outside or over 50 MiB is told apart", async () => {
    const root = folder({ "large.info": lcov });
    const outside = folder({ "lcov.info": lcov });
    mkdirSync(path.join(root, "folder"));
    symlinkSync(path.join(outside, "lcov.info"), path.join(root, "link.info"));
    truncateSync(path.join(root, "large.info"), 50 * 1024 * 1024 + 1);
    const at = async (file: string) => await coverageAt({ root, cwd: root }, file);

    expect(await at("none.info")).toEqual({ kind: "missing", file: "none.info" });
    expect(await at("folder")).toMatchObject({ why: "it is not a regular file" });
    expect(await at("link.info")).toMatchObject({ why: "it lies outside of the repository" });
    expect(await at(path.join(outside, "lcov.info"))).toMatchObject({ kind: "unreadable" });
    expect(await at("large.info")).toMatchObject({ why: "it has more than 50 MiB" });
  });

  it("is the newest of the usual places when no file is named", async () => {
    const root = folder({ "coverage/lcov.info": lcov, "lcov.info": "SF:a\nDA:1,1\n" });
    utimesSync(path.join(root, "coverage/lcov.info"), 1, 1);

    expect(await newestCoverage(root)).toMatchObject({ file: "lcov.info", figure: 100 });
    expect(await newestCoverage(folder({}))).toMatchObject({ kind: "missing" });
  });
});

describe("the project's commands", () => {
  it("are the config's, else those that are found, each time anew", async () => {
    const root = folder({});
    const project = createProject({ root, cwd: root, configured: { lint: "my lint" } });

    expect(await project.commands()).toMatchObject({ test: null, lint: "my lint" });
    writeFileSync(path.join(root, "package.json"), `{"scripts": {"test": "x", "lint": "x"}}`);
    expect(await project.commands()).toMatchObject({ test: "npm test", lint: "my lint" });
  });
});
