/** Data is data, end to end (spec 0, 3.2): what real shells, the fake Claude and git received, byte for byte. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import path from "node:path";
import { array, constantFrom, sample } from "fast-check";
import { afterEach, expect, test } from "vitest";
import { expectDecent, makeRig, type Rig } from "./rig.ts";

let rig: Rig;
afterEach(async () => rig.dispose());

const TICK = "`";
/** All that anybody has ever got past a quoting rule, and what looks like templates, flags and commands of Claude. */
const HOSTILE: readonly string[] = [
  "plain",
  "",
  " ",
  "it's",
  'a"b',
  "a'b\"c`d\\e",
  "$(touch CANARY)",
  `${TICK}touch CANARY${TICK}`,
  '"; touch CANARY; "',
  "'; touch CANARY; '",
  "\n touch CANARY\n",
  "a\nb\n\n",
  "a\r\nb\r\n",
  "$ARG ${ARG} $HOME ${HOME} $$ $1 $@ $& $' $` $0 $$$$",
  "${shell.output} ${{ x }} $${x} ${x|raw}",
  "!" + TICK + "touch CANARY" + TICK,
  "x !" + TICK + "touch CANARY" + TICK,
  "```!\ntouch CANARY\n```",
  "- item\n- item",
  "a[$(touch CANARY)]",
  "*",
  "?",
  "[a-z]*",
  "~",
  "~root",
  "{a,b}",
  "a b\tc",
  "\\",
  "\\n",
  "%s%n",
  "#x",
  "EOF",
  "EOF\ntouch CANARY\n",
  "\u2028\u2029",
  "\ufeffx",
  "ünïcödé 字 🎉",
  "\u001b[2J\u001b]0;title\u0007x",
  "\u0001\u0007\b\u007f",
  "--",
  "!",
  "(",
  "=",
  "-",
  "/clear",
  "/clear now",
  "@file",
  "__proto__",
  "constructor",
  '{"a": 1}',
  "null",
  "x".repeat(20_000),
];
/** What `git ${x}` would take for an option; from a step they are refused in a bare place (spec 3.2). */
const OPTIONS: readonly string[] = ["-rf", "--help", "-n", "-oProxyCommand=touch CANARY"];

/** In each shell place the value goes into a file of its own; nothing but the value is in it. */
function places(reference: string, name: string): string {
  return [
    `recv ${reference} > "$OUT/${name}-bare"`,
    `recv -- ${reference} > "$OUT/${name}-dashes"`,
    `recv "${reference}" > "$OUT/${name}-dq"`,
    `recv '${reference}' > "$OUT/${name}-sq"`,
    `recv "$(printf '%s.' ${reference})" > "$OUT/${name}-sub"`,
    `V=${reference}; recv "$V" > "$OUT/${name}-assigned"`,
    `case ${reference} in ${reference}) : > "$OUT/${name}-case";; esac`,
    `for i in ${reference}; do recv "$i" > "$OUT/${name}-for"; done`,
    `cat > "$OUT/${name}-heredoc" <<END_OF_IT`,
    reference,
    "END_OF_IT",
  ].join("\n");
}

const received = (value: string, name: string): Record<string, string> => ({
  [`${name}-bare`]: `${value}\0`,
  [`${name}-dashes`]: `--\0${value}\0`,
  [`${name}-dq`]: `${value}\0`,
  [`${name}-sq`]: `${value}\0`,
  [`${name}-sub`]: `${value}.\0`,
  [`${name}-assigned`]: `${value}\0`,
  [`${name}-case`]: "",
  [`${name}-for`]: `${value}\0`,
  [`${name}-heredoc`]: `${value}\n`,
});

/** `recv` prints its arguments with a NUL after each: a program of its own, so that argv is real. */
async function withRecv(one: Rig, shell: "dash" | "bash"): Promise<Record<string, string>> {
  const bin = path.join(one.repo.base, "bin");
  await fs.mkdir(bin, { recursive: true });
  await fs.writeFile(path.join(bin, "recv"), '#!/bin/sh\nprintf "%s\\0" "$@"\n', { mode: 0o755 });
  const found = spawnSync("sh", ["-c", `command -v ${shell}`], { encoding: "utf8" }).stdout.trim();
  if (found !== "") await fs.symlink(found, path.join(bin, "sh"));
  return { PATH: `${bin}:${process.env["PATH"]}` };
}

const indent = (text: string): string => text.replace(/^/gm, "      ").trimStart();

/** Nowhere, neither beside the playbook nor where commands ran. */
async function expectNoCanary(one: Rig): Promise<void> {
  const found = spawnSync("find", [one.repo.base, "-name", "CANARY*"], { encoding: "utf8" });
  expect(found.stdout).toBe("");
}

/** Ends the case early, with what each place got beside what it should have got. */
async function expectReceived(one: Rig, expected: Record<string, string>): Promise<void> {
  expect(await one.received()).toEqual(expected);
  await expectNoCanary(one);
}

test.each(["dash", "bash"] as const)(
  "every hostile value of --args arrives as it is in every place of a shell text under %s",
  async (shell) => {
    rig = await makeRig({
      files: {
        "p.yml": `- shell: |\n      ${indent(places("$ARG", "${INDEX}"))}\n`,
      },
    });
    const values = [...HOSTILE, ...OPTIONS];

    const ran = await rig.mmm(["cook", "p.yml", ...values.flatMap((value) => ["--args", value])], {
      env: await withRecv(rig, shell),
    });

    expectDecent(ran, [0]);
    expect(ran.stdout + ran.stderr).not.toMatch(/\u001b\]|\u001b\[2J|\u0007/);
    const expected = values.map((value, index) => received(value, String(index + 1)));
    await expectReceived(rig, Object.assign({}, ...expected) as Record<string, string>);
  },
);

test.each(["dash", "bash"] as const)(
  "what a command printed arrives as it is in every place of a shell text under %s, and in no place as an option",
  async (shell) => {
    const outside = [...HOSTILE, ...OPTIONS].map((value) => ({
      value,
      isOption: OPTIONS.includes(value),
    }));
    const steps = outside.flatMap(({ isOption }, index) => [
      `- shell: cat "$OUT/../in/${index}"\n  id: s${index}\n`,
      isOption
        ? `- shell: recv \${s${index}.stdout} > "$OUT/${index}"\n  continue_on_error: true\n`
        : `- shell: |\n      ${indent(places(`\${s${index}.stdout}`, String(index)))}\n`,
    ]);
    rig = await makeRig({ files: { "p.yml": steps.join("") } });
    await fs.mkdir(path.join(rig.repo.base, "in"));
    for (const [index, { value }] of outside.entries())
      await fs.writeFile(path.join(rig.repo.base, "in", String(index)), value);

    const ran = await rig.mmm(["cook", "p.yml"], { env: await withRecv(rig, shell) });

    expectDecent(ran, [0]);
    expect(ran.stdout + ran.stderr).not.toMatch(/\u001b\]|\u001b\[2J|\u0007/);
    expect(ran.stdout + ran.stderr).toContain('begins with "-"');
    const expected = outside.map(({ value, isOption }, index) =>
      isOption ? {} : received(value, String(index)),
    );
    await expectReceived(rig, Object.assign({}, ...expected) as Record<string, string>);
  },
);

test("random hostile values arrive as they are in stdin, env, shell, prompts and commit subjects", async () => {
  const atom = constantFrom(
    ...HOSTILE.filter((each) => each.length < 60),
    ...OPTIONS,
    ..."'\"`$\\\n!{}[]()#-/&;|<> aé".split(""),
  );
  const [values = []] = sample(
    array(
      array(atom, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("")),
      { minLength: 40, maxLength: 40 },
    ),
    { numRuns: 1, seed: 20_260_807 },
  );
  rig = await makeRig({
    files: {
      "p.yml": `
- shell: {run: 'cat > "$OUT/stdin-\${INDEX}"', stdin: "$ARG"}
- shell: 'printf %s "$VALUE" > "$OUT/env-\${INDEX}"; printf %s "$ARG" > "$OUT/exported-\${INDEX}"'
  env: {VALUE: "<\${ARG}>"}
- claude: "say: $ARG"
- shell: 'echo \${INDEX} > file'
  commit_message: "fix: $ARG end"
`,
    },
  });

  const ran = await rig.mmm(["cook", "p.yml", ...values.flatMap((value) => ["--args", value])]);

  expectDecent(ran, [0]);
  const got = await rig.received();
  for (const [index, value] of values.entries()) {
    const n = index + 1;
    expect(got[`stdin-${n}`]).toBe(value);
    expect(got[`env-${n}`]).toBe(`<${value}>`);
    expect(got[`exported-${n}`]).toBe(value);
  }
  const calls = await rig.claude.calls();
  expect(calls.map(({ prompt }) => prompt)).toEqual(values.map((value) => `say: ${value}`.trim()));
  expect(calls.every(({ argv }) => argv.at(-2) === "--")).toBe(true);
  const subjects = (await rig.repo.git("log", "--reverse", "--format=%s%x00"))
    .split("\0\n")
    .slice(1);
  expect(subjects).toHaveLength(values.length);
  for (const [index, value] of values.entries()) {
    const first = `fix: ${value} end`;
    const kept = first.replace(/[^\p{L}]/gu, "").slice(0, 5);
    expect(subjects[index]?.replace(/[^\p{L}]/gu, "").slice(0, 5)).toBe(kept);
  }
  const trailers = await rig.repo.git(
    "log",
    "-n",
    String(values.length),
    "--format=%(trailers:key=Mmm-Step,valueonly,separator=%x2C)",
  );
  expect(trailers.split("\n").filter((line) => line !== "")).toEqual(values.map(() => "4"));
  await expectNoCanary(rig);
});

test("what Claude answered can be no shell code, no option, no slash command and no template in what follows", async () => {
  const answers = HOSTILE.filter((each) => each.trim() !== "");
  const calls = answers.map((text, index) => ({ prompt: `ask ${index}.`, text }));
  const steps = answers.flatMap((_, index) => [
    `- claude: "ask ${index}."\n  id: a${index}\n`,
    `- shell: 'recv "\${a${index}.output}" > "$OUT/${index}"'\n`,
    `- claude: "/review \${a${index}.output}"\n`,
    `- claude: "repeat \${a${index}.output}"\n`,
  ]);
  rig = await makeRig({
    files: { "p.yml": steps.join(""), ".claude/commands/review.md": "Review $ARGUMENTS\n" },
    claude: { calls: [...calls, { times: "always" }] },
  });

  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"], { env: await withRecv(rig, "dash") });

  expectDecent(ran, [0]);
  expect(ran.stdout + ran.stderr).not.toMatch(/\u001b\]|\u001b\[2J|\u0007/);
  const got = await rig.received();
  const prompts = (await rig.claude.calls()).map(({ prompt }) => prompt);
  for (const [index, answer] of answers.entries()) {
    expect(got[String(index)]?.trimEnd()).toBe(`${answer}\0`.trimEnd());
    const [, slash = "", plain = ""] = prompts.slice(index * 3, index * 3 + 3);
    const isLong = answer.length > 10_000;
    if (isLong) expect(await fs.readFile(plain.slice("repeat ".length), "utf8")).toBe(answer);
    else expect(plain).toBe(`repeat ${answer}`.trim());
    expect(slash).toMatch(/^\/review /);
    expect(slash).not.toMatch(/!`|```!|\$&/);
    if (/!`|```!|\$[&`'$]/.test(answer) || isLong)
      expect(await fs.readFile(slash.slice("/review ".length), "utf8")).toBe(answer);
    else expect(slash).toBe(`/review ${answer}`.trim());
  }
  await expectNoCanary(rig);
});

test("a value that holds NUL is refused with a word in each place, and nothing runs with half of it", async () => {
  const producer = `- shell: printf 'a\\0b'\n  id: nul\n  continue_on_error: true\n`;
  const uses = [
    `- shell: recv "\${nul.stdout}" > "$OUT/shell"`,
    `- shell: 'printf %s "$V" > "$OUT/env"'\n  env: {V: "\${nul.stdout}"}`,
    `- claude: "say \${nul.stdout}"`,
    `- claude: "/review \${nul.stdout}"`,
    `- shell: echo x > file\n  commit_message: "\${nul.stdout}"`,
    `- shell: touch "$OUT/dir"\n  working_dir: "\${nul.stdout}"`,
  ];
  rig = await makeRig({
    files: {
      "p.yml": [
        producer,
        ...uses.map((use) => `${use}\n  continue_on_error: true\n`),
        `- shell: {run: 'cat > "$OUT/stdin"', stdin: "\${nul.stdout}"}\n`,
      ].join(""),
      ".claude/commands/review.md": "Review $ARGUMENTS\n",
    },
  });

  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"], { env: await withRecv(rig, "dash") });

  expectDecent(ran, [0]);
  expect((ran.stdout + ran.stderr).match(/NUL byte/g)?.length).toBeGreaterThanOrEqual(5);
  expect(await rig.received()).toEqual({ stdin: "a\0b" });
  expect(await rig.claude.calls()).toEqual([]);
});

test("bytes that are no text, 2 MB and lone surrogates travel whole or are told, never damaged in silence", async () => {
  rig = await makeRig({
    files: {
      "p.yml": `
- shell: cat "$OUT/../raw"
  id: raw
- shell: cat "$OUT/../big"
  id: big
- shell: cat "$OUT/../json"
  id: json
  outputs: {lone: {capture: json, path: "$.lone"}, proto: {capture: json, path: "$.__proto__"}, made: {capture: json, path: "$.constructor"}, toString: {capture: json, path: "$.toString", default: none}}
- shell: 'printf %s "\${raw.stdout}" > "$OUT/raw"; printf %s "\${big.stdout}" > "$OUT/big"; cp \${big.stdout|file} "$OUT/file"'
- shell: {run: 'cat > "$OUT/stdin"', stdin: "\${big.stdout}"}
- shell: 'printf "%s|%s|%s" "\${json.proto}" "\${json.made}" "\${json.toString}" > "$OUT/names"'
- shell: 'printf %s "\${json.lone}" > "$OUT/lone"'
`,
    },
  });
  const raw = Buffer.from([0x61, 0xff, 0xfe, 0x80, 0xc3, 0x28, 0x62]);
  const big = `${"0123456789'\"$(touch CANARY)\n".repeat(80_000)}\n\n`;
  await fs.writeFile(path.join(rig.repo.base, "raw"), raw);
  await fs.writeFile(path.join(rig.repo.base, "big"), big);
  await fs.writeFile(
    path.join(rig.repo.base, "json"),
    '{"lone": "a\\ud800b", "__proto__": "p", "constructor": "c"}',
  );

  const ran = await rig.mmm(["cook", "p.yml"]);

  expectDecent(ran, [0]);
  expect(await fs.readFile(path.join(rig.out, "raw"))).toEqual(raw);
  const got = await rig.received();
  expect(got["big"] === big).toBe(true);
  expect(got["file"] === big).toBe(true);
  expect(got["stdin"] === big).toBe(true);
  expect(got["names"]).toBe("p|c|none");
  expect(got["lone"]).toBe("a\ufffdb");
  await expectNoCanary(rig);
});

test("a value that is too long for a variable counts in bytes: a reference has it, a child starts without it", async () => {
  rig = await makeRig({
    files: {
      "p.yml": `
- shell: 'printf %s "$ARG" > "$OUT/reference"; printf %s "\${FILE-unset}" > "$OUT/other"'
- shell: cat "$OUT/../wide"
  id: wide
- shell: "true"
  env: {V: "\${wide.stdout}"}
  continue_on_error: true
`,
    },
  });
  const wide = "字".repeat(43_600);
  await fs.writeFile(path.join(rig.repo.base, "wide"), wide);

  const ran = await rig.mmm(["cook", "p.yml", "--args", wide]);

  expectDecent(ran, [0]);
  expect((await rig.received())["reference"] === wide).toBe(true);
  expect(ran.stdout + ran.stderr).toMatch(
    /env V: the value has 130800 bytes, more than a variable can carry/,
  );
});

test("files that a step made under hostile names are committed, named and handed on as they are", async () => {
  const names = [
    "-rf",
    "--help",
    "a\nb.md",
    "it's.md",
    'q"x.md',
    "$(touch CANARY).md",
    ":(glob)*.md",
    ":!x.md",
    "`id`.md",
    "ü字.md",
    " lead.md",
    "trail ",
    "\u001b[2Jx.md",
    "#x.md",
    "\\.md",
    "*.md",
    "CON:.md",
    "-n.md",
  ];
  rig = await makeRig({
    files: {
      "p.yml": `
- shell: node make.mjs
  id: made
  outputs: {all: {file_pattern: "**/*", all: true}}
- shell: 'recv -- \${made.all} > "$OUT/all"; recv -- \${made.files_added} > "$OUT/added"'
- claude: "look at \${made.all}"
- shell: 'git log -1 --name-only --format= -z \${made.commit} > "$OUT/commit"'
`,
      "make.mjs": `import fs from "node:fs"; for (const name of ${JSON.stringify(names)}) fs.writeFileSync(name, "x");\n`,
    },
  });

  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"], { env: await withRecv(rig, "dash") });

  expectDecent(ran, [0]);
  expect(ran.stdout + ran.stderr).not.toContain("\u001b[2J");
  const got = await rig.received();
  const sorted = names.toSorted();
  expect(got["all"]?.split("\0").slice(1, -1).toSorted()).toEqual(sorted);
  expect(got["added"]?.split("\0").slice(1, -1).toSorted()).toEqual(sorted);
  expect(
    got["commit"]
      ?.split("\0")
      .filter((each) => each.trim() !== "")
      .map((each) => each.replace(/^\n(?=.)/, ""))
      .toSorted(),
  ).toEqual(sorted);
  expect(await rig.repo.git("status", "--porcelain")).toBe("");
  await expectNoCanary(rig);
});

test("files under hostile names go through --map, and FILE is the path as it is", async () => {
  const names = [
    "-rf.md",
    "a\nb.md",
    "it's.md",
    "$(touch CANARY).md",
    "65-x y.md",
    "$ARG ${FILE}.md",
    "ü.md",
  ];
  rig = await makeRig({
    files: {
      ...Object.fromEntries(names.map((name) => [`in/${name}`, name])),
      "p.yml": `- shell: 'recv -- "$FILE" "$ARG" > "$OUT/\${INDEX}"; cat "$FILE" > "$OUT/\${INDEX}-text"'\n- claude: "/review \${FILE}"\n`,
      ".claude/commands/review.md": "Review $ARGUMENTS\n",
    },
  });

  const ran = await rig.mmm(["cook", "p.yml", "--map", "in/*.md"], {
    env: await withRecv(rig, "dash"),
  });

  expectDecent(ran, [0]);
  const sorted = names.toSorted();
  const got = await rig.received();
  for (const [index, name] of sorted.entries()) {
    const arg = name === "65-x y.md" ? "65" : name.slice(0, -3);
    expect(got[String(index + 1)]).toBe(`--\0in/${name}\0${arg}\0`);
    expect(got[`${index + 1}-text`]).toBe(name);
  }
  expect((await rig.claude.calls()).map(({ prompt }) => prompt)).toEqual(
    sorted.map((name) => `/review in/${name}`),
  );
  await expectNoCanary(rig);
});

test.each(["plain", "pretty", "json"])(
  "nothing that a model, a command, a file or a commit says moves the cursor or sets the title on a terminal (%s)",
  async (reporter) => {
    const evil = "\u001b]0;owned\u0007\u001b[2J\u001b[1;1H\u009b2J\u001bc\u202eevil\u001b[?1049h";
    rig = await makeRig({
      files: {
        "p.yml": `
- claude: "talk"
- shell: cat "$OUT/evil" >&2
- shell: 'cat "$OUT/evil"; cp "$OUT/evil" "$(cat "$OUT/evil")x"'
  name: "labelled"
  commit_message: "\${shell.output}"
- shell: 'cat "$OUT/evil" >&2; exit 3'
  name: "fails"
`,
      },
      claude: {
        calls: [
          {
            text: evil,
            do: [
              { init: { model: evil } },
              { say: evil },
              { tool: evil, input: { command: evil } },
              { result: { result: evil } },
            ],
          },
        ],
      },
    });
    await fs.writeFile(path.join(rig.out, "evil"), evil);
    const ran = await rig.mmm(["cook", "p.yml", "-vv", "-n", "1", "--reporter", reporter], {
      env: { TERM: "xterm-256color" },
      around: `printf '%s\\n' "$@" > ../argv; exec script -qec 'while read -r a; do set -- "$@" "$a"; done < ../argv; exec "$@"' /dev/null < /dev/null`,
    });

    expect(ran.code).toBe(1);
    const shown = ran.stdout + ran.stderr;
    expect(shown).toContain("evil");
    // `\e[2K`, `\e[?25l` and colours are the live line's own
    expect(shown).not.toMatch(
      /\u001b\]|\u001b\[2J|\u001b\[1;1H|\u009b|\u001bc|\u202e|\u001b\[\?1049|\u0007/,
    );
  },
);

test("no event that a claude prints, of whatever shape, ends mmm", async () => {
  const odd: readonly unknown[] = [
    null,
    [],
    "text",
    7,
    {},
    { type: null },
    { type: {} },
    { type: "system", subtype: "init", slash_commands: "all", tools: 7, model: {} },
    { type: "system", subtype: "init", slash_commands: [null, {}, 7] },
    { type: "assistant" },
    { type: "assistant", message: null },
    { type: "assistant", message: { content: "text" } },
    {
      type: "assistant",
      message: {
        content: [
          null,
          7,
          { type: "text" },
          { type: "text", text: {} },
          { type: "tool_use" },
          { type: "tool_use", name: {}, input: null },
        ],
      },
    },
    { type: "user", message: { content: [{ type: "tool_result", content: { a: 1 } }] } },
    { type: "result" },
    {
      type: "result",
      subtype: "success",
      is_error: "no",
      result: { a: 1 },
      modelUsage: [],
      num_turns: "x",
      total_cost_usd: "free",
    },
    { type: "result", subtype: "success", is_error: false, result: null, modelUsage: { a: null } },
    {
      type: "result",
      subtype: "success",
      is_error: false,
      result: "x",
      modelUsage: { a: { inputTokens: -1, outputTokens: 1e308, costUSD: -5 } },
    },
    {
      type: "result",
      subtype: "success",
      is_error: false,
      result: "x",
      modelUsage: { __proto__: {}, constructor: { costUSD: null } },
      permission_denials: "many",
    },
    { type: "result", subtype: "error_max_turns", errors: "none" },
    { type: "result", subtype: {}, is_error: [], errors: [null, 7] },
  ];
  const raws = [
    "{",
    "\0\0\0\n",
    "[".repeat(100_000),
    `{"type":"result","result":"${"x".repeat(3_000_000)}`,
    `{"__proto__": {"type": "result"}}\n`,
    "\ufeff{}\n",
    "}{\n\r\n\n",
  ];
  const calls = [
    ...odd.map((event) => ({ do: [{ event }, { result: { result: "end" } }] })),
    ...odd.map((event) => ({ do: [{ event }] })),
    ...raws.map((raw) => ({ do: [{ raw }] })),
    ...raws.map((raw) => ({ do: [{ raw }, { raw: "\n" }, { result: { result: "end" } }] })),
  ];
  rig = await makeRig({
    files: {
      "p.yml": calls.map((_, n) => `- claude: "call ${n}."\n  continue_on_error: true\n`).join(""),
    },
    claude: { calls: calls.map((call, n) => ({ prompt: `call ${n}.`, ...call })) },
  });

  const ran = await rig.mmm(["cook", "p.yml", "-v", "-n", "1"], { deadlineMs: 100_000 });

  expectDecent(ran, [0]);
  expect(await rig.claude.calls()).toHaveLength(calls.length);
  expect(ran.stdout).not.toMatch(/NaN|Infinity|undefined|\[object|-\$/);
  expect(ran.stdout.length).toBeLessThan(500_000);
});
