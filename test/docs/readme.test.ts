/** README and docs say what is: their snippets run, their links lead somewhere, their tables are complete. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { globSync } from "tinyglobby";
import { afterEach, describe, expect, it } from "vitest";
import { claudeOptions } from "../../src/steps/claude.ts";
import { foreachKind } from "../../src/steps/foreach.ts";
import { captureRule, fileRule, handlerKeys, stepOptions } from "../../src/steps/options.ts";
import {
  CAPTURED,
  GROUPS,
  INPUT_NAMES,
  SESSION_NAMES,
  STEP_FIELDS,
} from "../../src/values/names.ts";
import { packageRoot, runCli } from "../support/run-cli.ts";
import { type Block, blocksOf, code, documents, linksOf, read, tablesOf } from "./blocks.ts";
import { makeStage, program, type Stage } from "./stage.ts";

const manuals = documents.filter((name) => name === "README.md" || name.startsWith("docs/"));
const blocks = manuals.flatMap((name) => blocksOf(name));
const manifest = JSON.parse(read("package.json")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** Words of `mmm sessions`. */
const SESSIONS = ["ls", "show", "logs", "drop", "rm"];

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.dispose();
  stage = null;
});

async function open(): Promise<Stage> {
  stage = await makeStage();
  return stage;
}

describe("every block of YAML", () => {
  const yaml = blocks.filter(({ language }) => language === "yaml");

  it("is there, and has a mark that is known", () => {
    const marks = new Set(yaml.map(({ mark }) => mark?.name ?? "none"));

    expect(yaml.length).toBeGreaterThan(18);
    expect(yaml.filter(({ text }) => repairsTests(text)).length).toBeGreaterThan(2);
    expect([...marks].sort()).toEqual(["args", "config", "none"]);
  });

  it.each(yaml.filter(({ mark }) => mark?.name !== "config"))(
    "$place is read without a problem or a note, and cooks",
    async ({ text, mark }) => {
      const { repo, env: usual, prompts } = await open();
      const repairs = repairsTests(text);
      const env = repairs ? { ...usual, FAILS_ONCE: path.join(repo.base, "failed") } : usual;
      const file = path.join(repo.base, "playbook.yml");
      writeFileSync(file, text);
      const inputs = mark?.name === "args" ? [`--args=${mark.value}`] : [];

      const checked = await runCli(["validate", "--format", "json", file], { cwd: repo.root, env });
      const cooked = await runCli(["cook", file, "-n", "1", ...inputs], { cwd: repo.root, env });

      const report = JSON.parse(checked.stdout) as {
        readonly problems: readonly { readonly severity: string; readonly code: string }[];
      };
      const problems = report.problems.filter(({ severity }) => severity !== "warning");
      expect(problems.map((each) => each.code)).toEqual(
        mark?.name === "args" ? ["needs-input"] : [],
      );
      expect(cooked, cooked.stderr).toMatchObject({ code: 0 });
      expect(cooked.stdout).toContain("Improvement session");
      const asked = await prompts();
      expect(asked.filter((prompt) => prompt.includes("${"))).toEqual([]);
      const told = asked.filter((prompt) => prompt.includes("1 test fails: sum"));
      expect(told.length, cooked.stdout).toBe(repairs ? 1 : 0);
      expect(cooked.stdout.includes("Attempt 1/3 failed")).toBe(repairs);
    },
  );

  it.each(yaml.filter(({ mark }) => mark?.name === "config"))(
    "$place is a config that mmm takes, key by key",
    async ({ text }) => {
      const { repo, env } = await open();
      await repo.write(".mmm/config.yml", text);

      const cooked = await runCli(["cook", "playbooks/failing.yml"], { cwd: repo.root, env });
      await repo.write(".mmm/config.yml", `${text}  nonsense: 1\n`);
      const refused = await runCli(["cook", "playbooks/failing.yml"], { cwd: repo.root, env });

      expect(cooked.code).toBe(1);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain("nonsense");
    },
  );
});

/** Has a step that runs the tests, and Claude for when they fail? */
function repairsTests(text: string): boolean {
  return /shell: "npm test"\n\s+on_failure:\n\s+claude:/u.test(text);
}

/** Lines that are not run here, each with the reason. */
const NOT_RUN: readonly { readonly line: RegExp; readonly why: string }[] = [
  { line: /^npm run (\w+)$/u, why: "of this clone; the script is checked to exist" },
  { line: /^npm (test)$/u, why: "it would run itself; the script is checked to exist" },
  { line: /^npm ci$/u, why: "it replaces node_modules under the running tests" },
  { line: /^npm install -g \.$/u, why: "it changes the machine" },
];

describe("every block of sh", () => {
  const sh = blocks.filter(({ language }) => language === "sh");

  it("is there, and has a mark that is known", () => {
    const marks = new Set(sh.map(({ mark }) => mark?.name ?? "none"));

    expect(sh.length).toBeGreaterThan(10);
    expect([...marks].sort()).toEqual([
      "dirty",
      "exit",
      "failed-ref",
      "history",
      "none",
      "recorded",
    ]);
  });

  it.each(sh)("$place runs as it stands", async (block) => {
    const lines = block.text.split("\n").filter((line) => line !== "");
    const left = lines.filter((line) => !isExcused(line));
    if (left.length === 0) return;
    const { repo, env } = await open();
    const bin = path.join(repo.base, "bin");
    // Where the machine has no jq, the line still runs mmm and reads its events to their end.
    if (spawnSync("sh", ["-c", "command -v jq"]).status !== 0) program(path.join(bin, "jq"), "cat");
    await prepare(block, { repo, env });

    const script = left.join("\n");
    const ran = spawnSync("sh", ["-eu", "-c", script], { cwd: repo.root, env, encoding: "utf8" });

    const expected = block.mark?.name === "exit" ? Number(block.mark.value) : 0;
    expect(ran, `${ran.stdout}${ran.stderr}`).toMatchObject({ status: expected });
  });

  it("that calls for a script of the package names one that is there", () => {
    const scripts = sh
      .flatMap(({ text }) => text.split("\n"))
      .flatMap((line) => /^npm (?:run )?(test|demo|build)$/u.exec(line)?.slice(1) ?? []);

    expect([...new Set(scripts)].sort()).toEqual(["build", "demo", "test"]);
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(scripts));
  });
});

function isExcused(line: string): boolean {
  return NOT_RUN.some((each) => each.line.test(line));
}

/** What the text around the block says is already there. */
async function prepare(
  { mark, text }: Block,
  { repo, env }: Pick<Stage, "repo" | "env">,
): Promise<void> {
  if (mark?.name === "dirty") await repo.write("notes.txt", "mine\n");
  const ref = /refs\/mmm\/failed\/\S+\/1/u.exec(text)?.[0];
  if (mark?.name === "failed-ref" && ref !== undefined) await repo.git("update-ref", ref, "HEAD");
  if (mark?.name === "history")
    expect(
      await runCli(["cook", "playbooks/demo.yml", "-n", "1"], { cwd: repo.root, env }),
    ).toMatchObject({ code: 0 });
  if (mark?.name === "recorded") {
    const args = ["cook", "playbooks/review.yml", "-n", "1", "--record", "../review.jsonl"];
    const before = await repo.git("rev-parse", "HEAD");
    expect(await runCli(args, { cwd: repo.root, env })).toMatchObject({ code: 0 });
    await repo.git("reset", "--quiet", "--hard", before);
  }
  // The line that commits what `mmm init` has written.
  if (text.startsWith("mmm init\n")) {
    await repo.git("rm", "-q", "-r", ".claude/commands");
    await repo.git("commit", "-q", "-m", "no commands yet");
  }
}

describe("links", () => {
  it.each(documents)("of %s lead to files and headings that are there", (document) => {
    const missing = linksOf(document).filter(
      (link) => !/^https?:/u.test(link) && !leads(document, link),
    );

    expect(missing).toEqual([]);
  });

  it("reach every manual from the README", () => {
    const linked = linksOf("README.md").map((link) => link.replace(/#.*/u, ""));

    expect(linked).toEqual(expect.arrayContaining(manuals.filter((name) => name !== "README.md")));
  });
});

function leads(document: string, link: string): boolean {
  const [file = "", heading] = link.split("#");
  const target = file === "" ? document : path.posix.join(path.posix.dirname(document), file);
  if (!existsSync(path.join(packageRoot, target))) return false;
  return heading === undefined || headingsOf(target).includes(heading);
}

function headingsOf(document: string): readonly string[] {
  return [...read(document).matchAll(/^#+ (.+)$/gmu)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replaceAll(/[^\w\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("the README's tables", () => {
  it.each([
    ["mmm", [], "## Commands"],
    ["mmm cook", ["cook"], "### `mmm cook [PLAYBOOK]`"],
    ["mmm resume", ["resume"], "### `mmm resume [SESSION]`"],
    ["mmm validate", ["validate"], "### `mmm validate PLAYBOOK...`"],
    ["mmm init", ["init"], "### `mmm init`"],
    ["mmm analyze", ["analyze"], "### `mmm analyze`"],
  ])("have every option of %s, and no other", async (_name, command, heading) => {
    const help = await runCli([...command, "--help"], { cwd: packageRoot });
    const offered = [...help.stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gmu)].map(flags);
    const section = read("README.md").split(`${heading}\n`)[1]?.split(/^##/mu)[0] ?? "";
    const told = [...section.matchAll(/^\| `(?:(-\w), )?(--[\w-]+)[^`]*` \|/gmu)].map(flags);

    const own = (list: readonly string[]): readonly string[] =>
      list.filter((each) => command.length === 0 || each !== "-h --help").toSorted();
    expect(own(told)).toEqual(own(offered));
    expect(offered.length).toBeGreaterThan(1);
  });

  it("and docs/sessions.md have every option of mmm sessions, and no other", async () => {
    const rows = tablesOf("docs/sessions.md").find(({ mark }) => mark === "options")?.rows ?? [];
    const told = rows.flatMap(([option = "", of = ""]) => {
      const flag = flags(/^`(?:(-\w), )?(--[\w-]+)/u.exec(option) ?? fail(option));
      const words = of === "all" ? SESSIONS : [code(of)];
      return words.map((word) => `${word} ${flag}`);
    });
    const offered = await Promise.all(
      SESSIONS.map(async (word) => {
        const help = await runCli(["sessions", word, "--help"], { cwd: packageRoot });
        const all = [...help.stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gmu)].map(flags);
        return all.filter((each) => each !== "-h --help").map((each) => `${word} ${each}`);
      }),
    );

    expect(told.toSorted()).toEqual(offered.flat().toSorted());
    expect(told.length).toBeGreaterThan(8);
  });

  it("have every exit code that the source uses, and no other (spec 1.1)", () => {
    const used = new Set<number>();
    for (const file of globSync("src/**/*.ts", { cwd: packageRoot })) {
      const text = readFileSync(path.join(packageRoot, file), "utf8");
      // Trouble with its code, and what the commands return.
      const codes = [
        ...text.matchAll(/new MmmError\(\s*"[\w-]+",\s*([^{]*?),\s*\{/gu),
        ...(/src\/(?:cli|app)\//u.test(file) ? text.matchAll(/return ([^;]*\b\d+)\s*;/gu) : []),
        ...(file.endsWith("process/signals.ts")
          ? text.matchAll(/return (.* \? \d+ : \d+);/gu)
          : []),
      ];
      for (const [, source = ""] of codes) {
        for (const number of source.match(/(?<![\w.\-["])\d+\b/gu) ?? []) used.add(Number(number));
      }
    }
    const inReadme = codesOf("README.md", "## Exit codes");
    const inDocs = codesOf("docs/exit-codes.md", "# Exit codes");

    expect([...used].toSorted((a, b) => a - b)).toEqual(inReadme);
    expect(inDocs).toEqual(inReadme);
  });

  it("have every variable that mmm reads", () => {
    const names = new Set<string>();
    for (const file of globSync("src/**/*.ts", { cwd: packageRoot })) {
      const text = readFileSync(path.join(packageRoot, file), "utf8");
      for (const match of text.matchAll(
        /env\["(MMM_\w+|NO_COLOR|FORCE_COLOR|CI|IS_SANDBOX|CLAUDE_CONFIG_DIR)"\]/gu,
      )) {
        names.add(match[1] ?? "");
      }
    }
    const section = read("README.md").split("## Environment and config\n")[1] ?? "";

    expect(names.size).toBeGreaterThan(4);
    for (const name of names) expect(section).toContain(`\`${name}\``);
  });

  it("have every shipped playbook, and no other", () => {
    const [, told = ""] = /^Shipped ones: `([^`]+)`/mu.exec(read("README.md")) ?? [];
    const shipped = globSync("examples/*.yml", { cwd: packageRoot });

    expect(told.split(/\s+/u)).toEqual(
      shipped.map((file) => path.basename(file, ".yml")).toSorted(),
    );
  });

  it("keep to 450 lines with what stands around them", () => {
    expect(read("README.md").split("\n").length).toBeLessThanOrEqual(451);
  });
});

function fail(text: string): never {
  throw new Error(`no option in ${text}`);
}

function flags([, short, long]: RegExpExecArray): string {
  return short === undefined ? String(long) : `${short} ${long}`;
}

function codesOf(document: string, heading: string): readonly number[] {
  const section = read(document).split(`${heading}\n`)[1]?.split(/^## /mu)[0] ?? "";
  const rows = [...section.matchAll(/^\| (\d+(?:, \d+)*) \|/gmu)];
  return rows.flatMap((row) => (row[1] ?? "").split(", ").map(Number));
}

describe("the tables of docs/values.md", () => {
  const table = (mark: string): readonly (readonly string[])[] =>
    tablesOf("docs/values.md").find((each) => each.mark === mark)?.rows ?? [];

  it("print what they say, in each place of shell text (spec 3.2)", async () => {
    const { repo, env } = await open();
    const value = 'it\'s "$(date)" *';
    const makers = [
      { id: "x", shell: { run: "cat", stdin: value } },
      { id: "l", shell: "printf 'a\\nb c\\n'", outputs: { items: { capture: "lines" } } },
      { id: "e", shell: "true" },
      { id: "n", shell: "printf 7" },
    ].map((step) =>
      step.id === "x"
        ? { ...step, shell: { ...(step.shell as object), stdin: value.replaceAll("${", "$${") } }
        : step,
    );
    const rows = table("places");
    const steps = rows.map((row) => ({ shell: code(row[0]) }));
    const file = path.join(repo.base, "places.json");
    writeFileSync(file, JSON.stringify([...makers, ...steps]));

    const ran = await runCli(["cook", file], { cwd: repo.root, env });

    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const printed = rows.map((_, index) => {
      const number = makers.length + index + 1;
      const log = `.mmm/sessions/*/logs/${String(number).padStart(4, "0")}-${number}.log`;
      const [found = ""] = globSync(log, { cwd: repo.root, dot: true });
      return readFileSync(path.join(repo.root, found), "utf8");
    });
    expect(printed).toEqual(rows.map((row) => code(row[1])));
    expect(rows.length).toBeGreaterThan(10);
  });

  it("refuse what they say, and take what they say to write instead", async () => {
    const { repo, env } = await open();
    const rows = table("refusals");
    const maker = { id: "x", shell: "true" };
    const check = async (texts: readonly string[]): Promise<readonly (readonly string[])[]> => {
      const file = path.join(repo.base, "refusals.json");
      // A line a step, so that each problem can be told apart by its line.
      const lines = [maker, ...texts.map((shell) => ({ shell }))].map((step) =>
        JSON.stringify(step),
      );
      writeFileSync(file, `[\n${lines.join(",\n")}\n]\n`);
      const args = ["validate", "--format", "json", file];
      const { stdout } = await runCli(args, { cwd: repo.root, env });
      const { problems } = JSON.parse(stdout) as {
        readonly problems: readonly { severity: string; code: string; line: number }[];
      };
      const errors = problems.filter(({ severity }) => severity === "error");
      return texts.map((_, index) =>
        errors.filter(({ line }) => line === index + 3).map((each) => each.code),
      );
    };

    const refused = await check(rows.map((row) => code(row[0])));
    const taken = await check(rows.map((row) => code(row[2])));

    expect(refused.map(([first]) => first)).toEqual(rows.map((row) => code(row[1])));
    expect(taken).toEqual(rows.map(() => []));
    expect(rows.length).toBeGreaterThan(12);
  });
});

describe("the manuals name", () => {
  const playbook = read("docs/playbook.md");
  const keys = {
    "step options": Object.keys(stepOptions),
    "options of claude": Object.keys(claudeOptions),
    "keys of handlers": Object.keys(handlerKeys),
    "keys of loops": Object.keys(foreachKind.shape),
    "keys of outputs": [...Object.keys(fileRule), ...Object.keys(captureRule)],
  };

  it.each(Object.entries(keys))("all %s, and say what they mean", (_what, names) => {
    for (const name of names) expect(playbook).toMatch(new RegExp(`\`${name}(?:\`|:)`, "u"));
  });

  it("each value that mmm provides (spec 3.1)", () => {
    const names = read("docs/values.md").split("| name | value |\n")[1]?.split("\n\n")[0] ?? "";
    const provided = [
      ...INPUT_NAMES,
      ...SESSION_NAMES,
      CAPTURED,
      "item",
      "index",
      "total",
      ...STEP_FIELDS.map((field) => `ID.${field}`),
      ...Object.entries(GROUPS).flatMap(([group, fields]) =>
        // `test.` is an old name for `shell.`, told in docs/playbook.md.
        group === "test" ? [] : fields.map((field) => `${group}.${field}`),
      ),
    ];

    for (const name of provided) expect(names).toContain(`\`${name}\``);
  });

  /** A list of many sessions is no place for these; `show` has them. */
  const ONLY_IN_THE_FILE = [
    "process",
    "limit",
    "models",
    "claude_steps",
    "unknown_costs",
    "worked_ms",
  ];

  it("every field of session.json and state.json, and no other (spec 7)", async () => {
    const { repo, env } = await open();
    await runCli(["cook", "playbooks/demo.yml", "-n", "1"], { cwd: repo.root, env });
    const json = (file: string): readonly string[] =>
      Object.keys(JSON.parse(readFileSync(file, "utf8")) as object);
    const [folder = ""] = globSync(".mmm/sessions/*/session.json", { cwd: repo.root, dot: true });
    const fields = (heading: string): readonly string[] => {
      const section =
        read("docs/sessions.md").split(`## \`${heading}\`\n`)[1]?.split("\n## ")[0] ?? "";
      const rows = [...section.matchAll(/^\| (`[^|]+) \|/gmu)].map((row) => row[1] ?? "");
      return rows
        .flatMap((row) => [...row.matchAll(/`(\w+)`/gu)].map((name) => name[1] ?? ""))
        .toSorted();
    };

    // `error` is there only when the session broke off, `process` only while it runs.
    expect(fields("session.json")).toEqual(
      [...json(path.join(repo.root, folder)), "error", "process"].toSorted(),
    );
    const listed = await runCli(["sessions", "--json"], { cwd: repo.root, env });
    const [record = {}] = JSON.parse(listed.stdout) as readonly object[];
    expect([...Object.keys(record), "version"].toSorted()).toEqual(
      [...fields("session.json"), "resumable", "directory"]
        .filter((field) => !ONLY_IN_THE_FILE.includes(field))
        .toSorted(),
    );
    expect(fields("state.json")).toEqual(json(path.join(repo.root, ".mmm/state.json")).toSorted());
  });

  it("in the README what is not there yet, and it is refused", async () => {
    const { repo, env } = await open();
    const section = read("README.md").split("## Not in this version\n")[1]?.split("\n## ")[0] ?? "";
    const named = [...section.matchAll(/`([\w-]+)`/gu)].map((match) => match[1] ?? "");
    const source =
      read("src/playbook/known-keys.ts").split("const NOT_YET")[1]?.split("};")[0] ?? "";
    const planned = [...source.matchAll(/\[\s*"(\w+)",/gu)].map((match) => match[1] ?? "");

    expect(named).toEqual(expect.arrayContaining([...planned]));
    const others = named.filter((name) => !planned.includes(name));
    const refused = await Promise.all(
      others.map(async (name) => {
        const args = name.startsWith("--") ? ["cook", "playbooks/demo.yml", name] : [name];
        return { name, code: (await runCli(args, { cwd: repo.root, env })).code };
      }),
    );
    expect(refused).toEqual(others.map((name) => ({ name, code: 2 })));
  });
});

describe("the architecture", () => {
  it("speaks of files that are there", () => {
    const text = read(".mmm/ARCHITECTURE.md");
    const files = [...text.matchAll(/`((?:[\w-]+\/)+[\w-]+\.ts)`/gu)].map(
      (match) => match[1] ?? "",
    );
    const missing = files.filter((file) =>
      ["", "src"].every((top) => !existsSync(path.join(packageRoot, top, file))),
    );

    expect(files.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });

  it("has decisions with a number of their own, on a page at most", () => {
    const decisions = documents.filter((name) => name.startsWith(".mmm/decisions/"));
    const numbers = decisions.map((name) => /\/(\d{4})-[a-z0-9-]+\.md$/u.exec(name)?.[1]);

    expect(numbers.length).toBeGreaterThan(5);
    expect(new Set(numbers).size).toBe(decisions.length);
    for (const name of decisions) {
      const number = /(\d{4})/u.exec(name)?.[1] ?? "";
      expect(read(name)).toMatch(new RegExp(`^# ${number}: .*\n\n[^]*\\*\\*Context\\.`, "u"));
      expect(read(name).split("\n").length).toBeLessThanOrEqual(60);
    }
  });
});
