/** What `mmm init` and `mmm analyze` load: their time is mostly that of the code they read (counted, not timed). */
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import { playbookSchema } from "../../src/playbook/json-schema.ts";
import { packageRoot, runCli } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

let repo: TempRepo | null = null;

afterEach(async () => {
  await repo?.dispose();
  repo = null;
});

/** Packages and rooms of `src/` that the files of `dist/` are made of which node loads. */
async function loadedBy(place: TempRepo, args: readonly string[]): Promise<ReadonlySet<string>> {
  const log = path.join(place.base, `modules-${args.join("-")}`);
  const hook = pathToFileURL(path.join(packageRoot, "bench", "note-modules.mjs"));
  const { code, stderr } = await runCli(args, {
    cwd: place.root,
    env: { ...place.env, NODE_OPTIONS: `--import ${hook.href}`, MMM_BENCH_MODULES: log },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const parts = readFileSync(log, "utf8")
    .trimEnd()
    .split("\n")
    .flatMap((file) => {
      const map = readFileSync(`${file}.map`, "utf8");
      return (JSON.parse(map) as { readonly sources: readonly string[] }).sources;
    })
    .map((source) => /node_modules\/([^/]+)|src\/[^/]+/.exec(source))
    .map((match) => match?.[1] ?? match?.[0] ?? "");
  return new Set(parts);
}

test("mmm init, and mmm analyze without a config, read no YAML, no schema and no step", async () => {
  repo = await makeRepo();

  for (const args of [["init"], ["init"], ["init", "--list"], ["analyze"], ["analyze"]]) {
    const loaded = await loadedBy(repo, args);
    expect([...loaded]).toEqual(expect.arrayContaining(["commander", "src/app"]));
    for (const heavy of ["yaml", "zod", "re2js", "src/steps"])
      expect(loaded, args.join(" ")).not.toContain(heavy);
  }
});

test("the schema that the package holds, and init writes, is the one of this mmm", async () => {
  repo = await makeRepo();
  await runCli(["init"], { cwd: repo.root, env: repo.env });

  const built = readFileSync(path.join(packageRoot, "dist", "playbook.schema.json"), "utf8");
  const written = readFileSync(path.join(repo.root, ".mmm", "playbook.schema.json"), "utf8");

  expect(built).toBe(`${JSON.stringify(playbookSchema(), null, 2)}\n`);
  expect(written).toBe(built);
});
