/** What really breaks in tools like this one, by the numbers of the list of failure modes. */
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { array, constantFrom, sample } from "fast-check";
import { parse as parseYaml } from "yaml";
import { afterEach, describe, expect, test } from "vitest";
import { isAlive } from "../process/helpers.ts";
import { expectDecent, makeRig, type Ran, type Rig } from "./rig.ts";

let rig: Rig;
afterEach(async () => rig.dispose());

const CLAUDE_ARGV = [
  "--print",
  "--output-format",
  "stream-json",
  "--verbose",
  "--dangerously-skip-permissions",
];

/** Places, times and hashes differ from run to run. */
function golden({ stdout }: Ran, { repo }: Rig): string {
  return stdout
    .replaceAll(repo.root, "REPO")
    .replaceAll(/mmm-p-\d+/g, "SESSION")
    .replaceAll(/\b\d+(\.\d+)?s\b/g, "TIME")
    .replaceAll(/\b[0-9a-f]{7,40}\b/g, "SHA");
}

test("F01 a claude that reads its standard input to the end finishes, and gets print mode and its prompt after --", async () => {
  rig = await makeRig({ files: { "p.yml": '- claude: "hello there"\n' } });

  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"]);

  expectDecent(ran, [0]);
  const [call] = await rig.claude.calls();
  expect(call?.stdin).toBe("");
  expect(call?.argv).toEqual([...CLAUDE_ARGV, "--", "hello there"]);
});

test("F01 a prompt that is too long for an argument comes through standard input, which is then closed", async () => {
  const long = "word ".repeat(30_000).trim();
  rig = await makeRig({ files: { "p.yml": `- claude: "${long}"\n` } });

  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"]);

  expectDecent(ran, [0]);
  const [call] = await rig.claude.calls();
  expect(call?.stdin).toBe(long);
  expect(call?.argv).toEqual(CLAUDE_ARGV);
});

test("F02 claude gets the same arguments at the top level, in on_failure, on_success, on_exit_code and in their handlers", async () => {
  rig = await makeRig({
    files: {
      "p.yml": `
claude: {model: opus, max_turns: 7}
steps:
  - claude: "top"
    on_success: {claude: "after"}
  - shell: test -f fixed
    on_failure: {claude: "repair"}
  - shell: exit 3
    on_exit_code: {3: {do: [{shell: "exit 4", on_failure: {claude: "deep", max_attempts: 1, fail_workflow: false}}], max_attempts: 1, fail_workflow: false}}
`,
    },
    claude: { calls: [{ prompt: "repair", writes: { fixed: "x" } }, { times: "always" }] },
  });

  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"]);

  expectDecent(ran, [0]);
  const calls = await rig.claude.calls();
  expect(calls.map(({ prompt }) => prompt)).toEqual(["top", "after", "repair", "deep"]);
  for (const { argv, prompt } of calls)
    expect(argv).toEqual([...CLAUDE_ARGV, "--model=opus", "--max-turns=7", "--", prompt]);
});

test("F03 a timeout ends the step and all that it started, and says so", async () => {
  rig = await makeRig({
    files: {
      "p.yml": `- shell: 'setsid sleep 1000 & echo $! > "$OUT/pid"; sleep 1000'\n  timeout: 2s\n`,
    },
  });

  const ran = await rig.mmm(["cook", "p.yml"]);

  expectDecent(ran, [1]);
  expect(ran.stdout + ran.stderr).toMatch(/timed out after 2s/);
  const pid = Number((await rig.received())["pid"]);
  expect(pid).toBeGreaterThan(1);
  expect(isAlive(pid)).toBe(false);
});

test("F03 a timeout ends a claude that says nothing any more, and what it started", async () => {
  rig = await makeRig({
    files: { "p.yml": '- {claude: "x", timeout: 4s}\n' },
    claude: {
      calls: [
        {
          do: [
            { init: {} },
            { spawn: ["sleep", "1000"], session: true, pidFile: "../out/pid" },
            { waitFor: "/never/there" },
          ],
        },
      ],
    },
  });

  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"]);

  expectDecent(ran, [1]);
  expect(ran.stdout + ran.stderr).toContain("timed out after 4s");
  const pid = Number((await rig.received())["pid"]);
  expect(pid).toBeGreaterThan(1);
  expect(isAlive(pid)).toBe(false);
});

const TWO_MB = "0123456789 'single' \"double\" $(touch CANARY)\n".repeat(48_000);

test("F05 twenty steps run after 2 MB were captured, each with the value at hand", async () => {
  const uses = Array.from(
    { length: 20 },
    (_, n) => `- shell: 'printf %s "\${big.stdout}" | wc -c > "$OUT/${n}"'\n`,
  );
  rig = await makeRig({
    files: {
      "p.yml": `- shell: cat "$OUT/../big"\n  id: big\n  capture_output: true\n${uses.join("")}`,
    },
  });
  await fs.writeFile(path.join(rig.repo.base, "big"), TWO_MB);

  const ran = await rig.mmm(["cook", "p.yml"]);

  expectDecent(ran, [0]);
  const got = Object.values(await rig.received()).map((text) => Number(text.trim()));
  expect(got).toEqual(uses.map(() => TWO_MB.length));
});

test("F06 2 MB come whole into shell text, a heredoc, standard input and a file, and by path into a prompt", async () => {
  rig = await makeRig({
    files: {
      "p.yml": `
- shell: cat "$OUT/../big"
  id: big
  outputs: {text: {capture: text}}
- shell: printf %s \${big.stdout} > "$OUT/bare"
- shell: |
    cat > "$OUT/heredoc" <<EOF
    \${big.text}
    EOF
- shell: {run: 'cat > "$OUT/stdin"', stdin: "\${big.output}"}
- shell: cp \${big.stdout|file} "$OUT/file"
- claude: "read \${big.text}"
`,
    },
  });
  await fs.writeFile(path.join(rig.repo.base, "big"), TWO_MB);

  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"]);

  expectDecent(ran, [0]);
  const got = await rig.received();
  for (const place of ["bare", "stdin", "file"]) expect(got[place] === TWO_MB, place).toBe(true);
  expect(got["heredoc"]?.trim() === TWO_MB.trim()).toBe(true);
  const [call] = await rig.claude.calls();
  expect(
    readFileSync(call?.prompt.slice("read ".length) ?? "", "utf8").trim() === TWO_MB.trim(),
  ).toBe(true);
});

test("F07 without PATH there is one clear error, whatever is missing", async () => {
  rig = await makeRig({ files: { "p.yml": '- claude: "x"\n' } });

  const nothing = await rig.mmm(["cook", "p.yml"], {
    env: { PATH: undefined, MMM_CLAUDE_BIN: undefined },
  });
  await fs.symlink("/usr/bin/git", path.join(rig.out, "git"));
  const gitOnly = await rig.mmm(["cook", "p.yml"], {
    env: { PATH: rig.out, MMM_CLAUDE_BIN: undefined },
  });

  expectDecent(nothing, [3]);
  expect(nothing.stderr).toMatch(/git|claude/);
  expectDecent(gitOnly, [3]);
  expect(gitOnly.stderr).toMatch(/there is no program claude on PATH/);
  expect(gitOnly.stderr.match(/^mmm: /gm)).toHaveLength(1);
});

test("F09 a failed step tells its last lines, the command as it ran, the exit code, its place and its log", async () => {
  rig = await makeRig({
    files: {
      "p.yml": `- shell: |\n    for i in $(seq 1 100); do echo "line $i of \${ARG}" >&2; done; exit 42\n  name: breaks\n`,
    },
  });

  const ran = await rig.mmm(["cook", "p.yml", "--args", "value-7"]);

  expectDecent(ran, [1]);
  const said = ran.stdout + ran.stderr;
  expect(said).toContain("line 100 of value-7");
  expect(said).toContain("line 81 of value-7");
  expect(said).not.toContain("line 80 of value-7");
  expect(said).toContain("breaks");
  expect(said).toContain("42");
  expect(said).toContain("seq 1 100");
  expect(said).toMatch(/p\.yml:1\b/);
  const log = /\S*\/logs\/\S+\.log/.exec(said)?.[0] ?? "";
  expect(await fs.readFile(path.resolve(rig.repo.root, log), "utf8")).toContain(
    "line 1 of value-7\n",
  );
});

test.each([0, 1])(
  "F11 verbosity %i shows the same of each call of claude, at the top level and in handlers",
  async (level) => {
    rig = await makeRig({
      files: {
        "p.yml": `
- claude: "top"
- shell: test -f fixed
  on_failure: {claude: "repair"}
`,
      },
      claude: {
        calls: [
          {
            prompt: "repair",
            do: [
              { init: {} },
              { say: "I repair" },
              { tool: "Bash", input: { command: "touch fixed" } },
              { write: "fixed" },
              { result: { result: "I repair" } },
            ],
          },
          {
            do: [
              { init: {} },
              { say: "I look" },
              { tool: "Bash", input: { command: "ls" } },
              { result: { result: "I look" } },
            ],
          },
        ],
      },
    });

    const ran = await rig.mmm(["cook", "p.yml", "-n", "1", ...(level === 1 ? ["-v"] : [])]);

    expectDecent(ran, [0]);
    expect(ran.stdout).not.toMatch(/"type":/);
    for (const word of ["I look", "I repair"])
      expect(ran.stdout.includes(word), word).toBe(level === 1);
    expect(golden(ran, rig)).toMatchSnapshot();
  },
);

test("F13 a handler reads the whole output of a failed attempt from its file, and so does a later step", async () => {
  rig = await makeRig({
    files: {
      "p.yml": `
- shell: seq 1 200000; test -f fixed
  id: tests
  on_failure:
    - shell: cat \${shell.output|file} > "$OUT/handler"; cp \${shell.output|file} "$OUT/../path"; touch fixed
- shell: cat \${tests.output|file} | wc -l > "$OUT/later"
`,
    },
  });

  const ran = await rig.mmm(["cook", "p.yml"]);

  expectDecent(ran, [0]);
  const got = await rig.received();
  expect(got["handler"]?.trimEnd().split("\n")).toHaveLength(200_000);
  expect(got["later"]?.trim()).toBe("200000");
});

test("F15 a command that had to commit and did not is a failure that names it, although it ended well", async () => {
  rig = await makeRig({
    files: { "p.yml": '- shell: "true"\n  commit_required: true\n  name: must commit\n' },
  });

  const ran = await rig.mmm(["cook", "p.yml"]);

  expectDecent(ran, [1]);
  expect(ran.stdout + ran.stderr).toMatch(/must commit/);
  expect(ran.stdout + ran.stderr).toMatch(/commit/);
});

describe("F16 the commit rule", () => {
  const ways = ["nothing", "leaves a file", "commits"] as const;
  const rows = ways.flatMap((way) =>
    ([true, false, undefined] as const).flatMap((required) =>
      (["shell", "claude", "name"] as const).map((kind) => ({ way, required, kind })),
    ),
  );

  test.each(rows)(
    "$kind with commit_required $required that does $way",
    async ({ way, required, kind }) => {
      const act = {
        nothing: "true",
        "leaves a file": "echo x > new",
        commits: "echo x > new; git add new; git commit -qm own",
      }[way];
      const call = {
        nothing: {},
        "leaves a file": { writes: { new: "x" } },
        commits: { writes: { new: "x" }, commit: "own" },
      }[way];
      const step = { shell: `shell: '${act}'`, claude: 'claude: "do it"', name: "name: mine" }[
        kind
      ];
      const rule = required === undefined ? "" : `\n  commit_required: ${required}`;
      rig = await makeRig({
        files: { "p.yml": `- ${step}${rule}\n`, ".claude/commands/mine.md": "x\n" },
        claude: { calls: [call] },
      });
      const before = await rig.repo.git("rev-parse", "HEAD");

      const ran = await rig.mmm(["cook", "p.yml", "-n", "1"]);

      const needed = required ?? kind === "name";
      expectDecent(ran, [needed && way === "nothing" ? 1 : 0]);
      const subjects = (await rig.repo.git("log", "--format=%s", `${before}..`))
        .split("\n")
        .filter((each) => each !== "");
      expect(subjects).toHaveLength(way === "nothing" ? 0 : 1);
      if (way === "commits") expect(subjects).toEqual(["own"]);
      expect(await rig.repo.git("status", "--porcelain")).toBe("");
    },
  );
});

test("F17 started from a third directory, all of git and of the steps happens in the repository of --path", async () => {
  rig = await makeRig({ files: { "sub/p.yml": "x", "sub/keep": "x" } });
  const elsewhere = await makeRig({
    files: {
      "p.yml": `- shell: 'pwd > "$OUT/cwd"; echo x > made'\n- claude: "go"\n- shell: 'git rev-parse --show-toplevel > "$OUT/top"; printf %s "\${PROJECT_ROOT}" > "$OUT/root"'\n`,
    },
    claude: { calls: [{ writes: { "by-claude": "x" }, commit: "claude's own" }] },
  });
  try {
    const third = await elsewhere.repo.git("rev-parse", "HEAD");

    const ran = await elsewhere.mmm(
      ["cook", "p.yml", "-n", "1", "--path", path.join(rig.repo.root, "sub")],
      {
        env: {
          GIT_DIR: path.join(elsewhere.repo.root, ".git"),
          GIT_WORK_TREE: elsewhere.repo.root,
        },
      },
    );

    expectDecent(ran, [0]);
    const got = await elsewhere.received();
    expect(got["cwd"]).toBe(`${path.join(rig.repo.root, "sub")}\n`);
    expect(got["root"]).toBe(rig.repo.root);
    expect((await elsewhere.claude.calls())[0]?.cwd).toBe(path.join(rig.repo.root, "sub"));
    expect(await rig.repo.git("ls-files", "sub")).toBe(
      "sub/by-claude\nsub/keep\nsub/made\nsub/p.yml",
    );
    expect(await elsewhere.repo.git("rev-parse", "HEAD")).toBe(third);
    expect(await elsewhere.repo.git("status", "--porcelain")).toBe("");
  } finally {
    await elsewhere.dispose();
  }
});

describe("F40 no placeholder and no wrong value reaches a shell or claude", () => {
  /** Each is a legal folder name, so that it can also be a working directory. */
  const VALUE = "v'a\"l $(touch CANARY) `id` ${ARG} $ARG;&|*";

  interface Source {
    readonly name: string;
    readonly reference: string;
    readonly value: string;
    /** Steps that must come right before each use. */
    readonly before?: string;
  }
  const shellPlaces = (reference: string, name: string): string =>
    [
      `recv -- ${reference} > "$OUT/${name}.bare"`,
      `recv "${reference}" > "$OUT/${name}.dq"`,
      `recv '${reference}' > "$OUT/${name}.sq"`,
      `recv "$(printf %s ${reference})" > "$OUT/${name}.sub"`,
      `cat > "$OUT/${name}.heredoc" <<EOT`,
      reference,
      "EOT",
    ].join("\n      ");
  /** All places of one source, as steps. */
  function uses({ name, reference, before = "" }: Source, isFolder: boolean): readonly string[] {
    const quoted = JSON.stringify(reference);
    const steps = [
      `- shell: |\n      ${shellPlaces(reference, name)}`,
      `- shell: {run: 'cat > "$OUT/${name}.stdin"', stdin: ${quoted}}`,
      `- shell: 'printf %s "$V" > "$OUT/${name}.env"'\n  env: {V: ${quoted}}`,
      `- shell: 'echo ${name} >> log'\n  commit_message: ${JSON.stringify(`m ${name}: ${reference}`)}`,
      `- claude: ${JSON.stringify(`prompt ${name}: ${reference}`)}`,
      `- claude: ${JSON.stringify(`/review ${name} ${reference}`)}`,
      `- name: review\n  args: [${name}, ${quoted}]\n  commit_required: false`,
      ...(isFolder
        ? [`- shell: 'basename "$(pwd)" > "$OUT/${name}.dir"'\n  working_dir: ${quoted}`]
        : []),
    ];
    return steps.map((step) => `${before}${step}\n`);
  }

  async function check(one: Rig, { name, value }: Source, isFolder: boolean): Promise<void> {
    const got = await one.received();
    const place = (suffix: string): string | undefined => got[`${name}.${suffix}`];
    expect(place("bare"), name).toBe(`--\0${value}\0`);
    expect(place("dq"), name).toBe(`${value}\0`);
    expect(place("sq"), name).toBe(`${value}\0`);
    expect(place("sub"), name).toBe(`${value}\0`);
    expect(place("heredoc"), name).toBe(`${value}\n`);
    expect(place("stdin"), name).toBe(value);
    expect(place("env"), name).toBe(value);
    if (isFolder) expect(place("dir"), name).toBe(`${value}\n`);
    const prompts = (await one.claude.calls()).map(({ prompt }) => prompt);
    expect(prompts, name).toContain(`prompt ${name}: ${value}`.trim());
    expect(
      prompts.filter((prompt) => prompt === `/review ${name} ${value}`.trim()),
      name,
    ).toHaveLength(2);
    // at the commit the latest shell step is the step itself, which printed nothing
    const said = name.endsWith("shell") || name === "shellout" ? "" : value;
    expect(await one.repo.git("log", "--format=%s"), name).toContain(`m ${name}: ${said}`.trim());
  }

  const recv = async (one: Rig): Promise<Record<string, string>> => {
    const bin = path.join(one.repo.base, "bin");
    await fs.mkdir(bin);
    await fs.writeFile(path.join(bin, "recv"), '#!/bin/sh\nprintf "%s\\0" "$@"\n', { mode: 0o755 });
    return { PATH: `${bin}:${process.env["PATH"]}`, FROM_OUTSIDE: VALUE };
  };

  const print = `- shell: cat "$OUT/../value"\n`;
  const sources: readonly Source[] = [
    { name: "arg", reference: "${ARG}", value: VALUE },
    { name: "dollar", reference: "$ARG", value: VALUE },
    { name: "index", reference: "${INDEX}", value: "1" },
    { name: "iteration", reference: "${ITERATION}", value: "1" },
    { name: "env", reference: "${env.FROM_OUTSIDE}", value: VALUE },
    { name: "shellout", reference: "${shell.output}", value: VALUE, before: print },
    { name: "output", reference: "${src.output}", value: VALUE },
    { name: "stdout", reference: "${src.stdout}", value: VALUE },
    { name: "stderr", reference: "${err.stderr}", value: VALUE },
    { name: "code", reference: "${err.exit_code}", value: "0" },
    { name: "json", reference: "${src2.j}", value: VALUE },
    { name: "file", reference: "${src2.f}", value: "made $(touch CANARY).md" },
    { name: "list", reference: "${src2.l[1]}", value: VALUE },
    { name: "captured", reference: "${CAPTURED_OUTPUT}", value: VALUE },
    { name: "fallback", reference: "${src2.none:-fall back}", value: "fall back" },
  ];

  test("in every place for every source", async () => {
    const folder = (source: Source): boolean => source.name !== "file";
    rig = await makeRig({
      files: {
        "p.yml": [
          `- shell: cat "$OUT/../value"\n  id: src\n  capture_output: true\n`,
          `- shell: cat "$OUT/../value" >&2\n  id: err\n`,
          `- shell: 'cat "$OUT/../json"; echo x > "made \\$(touch CANARY).md"'\n  id: src2\n  outputs: {j: {capture: json, path: "$.j"}, l: {capture: json, path: "$.l"}, f: {file_pattern: "made*.md"}, none: {capture: json, path: "$.none", default: ""}}\n`,
          ...sources.flatMap((source) => uses(source, folder(source))),
        ].join(""),
        ".claude/commands/review.md": "Review $ARGUMENTS\n",
      },
    });
    await fs.writeFile(path.join(rig.repo.base, "value"), VALUE);
    await fs.writeFile(
      path.join(rig.repo.base, "json"),
      JSON.stringify({ j: VALUE, l: ["a", VALUE] }),
    );
    for (const name of [VALUE, "0", "1", "fall back"])
      await fs.mkdir(path.join(rig.repo.root, name));

    const ran = await rig.mmm(["cook", "p.yml", "-n", "1", "--args", VALUE], {
      env: await recv(rig),
    });

    expectDecent(ran, [0]);
    for (const source of sources) await check(rig, source, folder(source));
    expect(await fs.readdir(rig.repo.root)).not.toContain("CANARY");
  });

  test("in every place of a handler, for what it knows of the error", async () => {
    const known: readonly Source[] = [
      { name: "ecode", reference: "${error.exit_code}", value: "7" },
      { name: "eattempt", reference: "${shell.attempt}", value: "1" },
      { name: "eshell", reference: "${shell.output}", value: VALUE },
    ];
    const failing = (source: Source): string[] =>
      uses(source, true).map(
        (use) =>
          `- shell: cat "$OUT/../value" >&2; exit 7\n  on_failure: {max_attempts: 1, fail_workflow: false, do: [${inFlow(use)}]}\n`,
      );
    rig = await makeRig({
      files: {
        "p.yml": known.flatMap((source) => failing(source)).join(""),
        ".claude/commands/review.md": "Review $ARGUMENTS\n",
      },
    });
    await fs.writeFile(path.join(rig.repo.base, "value"), VALUE);
    for (const name of [VALUE, "1", "7"]) await fs.mkdir(path.join(rig.repo.root, name));

    const ran = await rig.mmm(["cook", "p.yml", "-n", "1"], { env: await recv(rig) });

    expectDecent(ran, [0]);
    for (const source of known) await check(rig, source, true);
    expect(await fs.readdir(rig.repo.root)).not.toContain("CANARY");
  });

  test("for any text around references: what is left of a placeholder is refused before anything runs", async () => {
    const piece = constantFrom(
      "${ARG}",
      "$ARG",
      "$${ARG}",
      "${INDEX}",
      "${ARG:-x}",
      "${nope}",
      "${ARG",
      "text ",
      "$",
      "{",
      "}",
      "$$",
      "\\",
      "${}",
      "${ARG.x}",
      "${ ARG }",
    );
    const texts = sample(
      array(piece, { minLength: 1, maxLength: 5 }).map((parts) => `do ${parts.join("")}`),
      { numRuns: 60, seed: 7 },
    );
    rig = await makeRig({
      files: Object.fromEntries(
        texts.map((text, n) => [`p${n}.yml`, `- claude: ${JSON.stringify(text)}\n`]),
      ),
    });
    const checked = await rig.mmm(["validate", ...texts.map((_, n) => `p${n}.yml`)]);
    const sound = texts
      .map((text, n) => ({ text, n }))
      .filter(({ n }) => checked.stdout.includes(`p${n}.yml: ok\n`));
    expect(sound.length).toBeGreaterThan(10);
    expect(sound.length).toBeLessThan(texts.length - 10);
    await fs.writeFile(path.join(rig.repo.root, ".git/info/exclude"), "all.yml\n");
    await fs.writeFile(
      path.join(rig.repo.root, "all.yml"),
      sound.map(({ text }) => `- claude: ${JSON.stringify(text)}\n`).join(""),
    );

    const ran = await rig.mmm(["cook", "all.yml", "-n", "1", "--args", "VALUE"]);

    expectDecent(ran, [0]);
    const prompts = (await rig.claude.calls()).map(({ prompt }) => prompt);
    expect(prompts).toEqual(sound.map(({ text }) => expanded(text).trim()));
    for (const [at, prompt] of prompts.entries())
      if (prompt.includes("${")) expect(sound[at]?.text).toContain("$${");
  });

  /** What 3.1 says, written down again in another way. */
  function expanded(text: string): string {
    return text
      .replaceAll("$${", "\u0000")
      .replaceAll(/\$\{ARG(:-x)?\}|\$ARG(?![A-Za-z0-9_])/g, "VALUE")
      .replaceAll("${INDEX}", "1")
      .replaceAll("\u0000", "${");
  }
});

/** A step in block style as one in flow style: JSON is YAML. */
function inFlow(step: string): string {
  // the reader of YAML is at hand anyway
  return JSON.stringify((parseYaml(step) as readonly unknown[])[0]);
}
