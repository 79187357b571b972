/** Secrets, end to end (spec 2.2, 3.2): planted in awkward shapes, looked for in everything that was written or printed. */
import * as fs from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { expectDecent, makeRig, type Ran, type Rig, type RigOptions } from "./rig.ts";

let rig: Rig;
afterEach(async () => rig.dispose());

const PEM = [
  "-----BEGIN PRIVATE KEY-----",
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDFplanted",
  "q1w2e3r4t5z6u7i8o9p0asdfghjklyxcvbnmPLANTED0123456789+/ab",
  "-----END PRIVATE KEY-----",
].join("\n");

const SECRETS: Readonly<Record<string, string>> = {
  PLAIN: "planted-plain-0001",
  INNER: "plain-0001",
  QUOTES: `planted'quotes"and 'more`,
  SPACES: "planted  words in a row",
  UNICODE: "plänted-日本-🔑-ende",
  REGEX: "planted.*(x|y)[z]{2}^$",
  DOLLAR: "planted$HOME$(id)`id`!x",
  PERCENT: "planted100%41%zz+%2F&c=d",
  SLASHES: "planted\\n//a/b?c=d",
  LONG: `planted-${Array.from({ length: 4096 }, (_, at) => "aB3xK9pQ"[(at * 5) % 8]).join("")}`,
};

/** Everything a person or a program could find a secret as. */
function formsOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString("base64");
  const aligned = [0, 1, 2].map((offset) =>
    Buffer.from("x".repeat(offset) + secret)
      .toString("base64")
      .slice(4, -4),
  );
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ a: secret }).toString().slice(2),
    base64.replace(/=+$/, ""),
    Buffer.from(secret).toString("base64url"),
    ...aligned,
    ...secret.split("\n"),
  ].filter(({ length }) => length > 8);
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((each) => each.isFile())
    .map((each) => path.join(each.parentPath, each.name));
}

/** All that left mmm: what it printed, its folder, its commits, refs and their logs, and further files. */
async function whatLeft(ran: Ran, files: readonly string[] = []): Promise<Map<string, string>> {
  const left = new Map([
    ["stdout", ran.stdout],
    ["stderr", ran.stderr],
    ["commits", await rig.repo.git("log", "--all", "--format=%an %ae %cn %ce %B")],
    ["refs", await rig.repo.git("for-each-ref")],
    ["reflogs", await rig.repo.git("reflog", "--all")],
  ]);
  for (const file of [...(await filesBelow(path.join(rig.repo.root, ".mmm"))), ...files]) {
    left.set(file, await fs.readFile(file, "utf8"));
  }
  return left;
}

function expectNoSecret(left: ReadonlyMap<string, string>, secrets: readonly string[]): void {
  for (const [place, text] of left) {
    // Folded base64 is base64 too, and so is that in JSON.
    const unfolded = text.replaceAll(/(?:\\[rn]|[\r\n])+/g, "");
    for (const form of secrets.flatMap(formsOf)) {
      expect(text.includes(form), `${place} holds ${form}`).toBe(false);
      expect(unfolded.includes(form.replaceAll("\n", "")), `${place} holds ${form}`).toBe(false);
    }
  }
}

const header = [
  "secrets:",
  ...Object.keys(SECRETS).map((name) => `  ${name}: {env: FROM_${name}}`),
  "  PEM: {file: key.txt}",
];
const names = [...Object.keys(SECRETS), "PEM"];
const all = [...Object.values(SECRETS), PEM];
const given = Object.fromEntries(
  Object.entries(SECRETS).map(([name, value]) => [`FROM_${name}`, value]),
);

const usual = (playbook: readonly string[], more: RigOptions = {}): RigOptions => ({
  ...more,
  files: {
    "p.yml": `${[...header, ...playbook].join("\n")}\n`,
    "key.txt": `${PEM}\n`,
    ".gitignore": "key.txt\n",
    ...more.files,
  },
});

/** As an env dump, a debug log, a request, a trace would show them. */
const PRINTER = `
const fs = require("node:fs");
for (const name of ${JSON.stringify(names)}) {
  const value = process.env[name];
  const write = (text) => fs.writeSync(name.length % 2 ? 1 : 2, text);
  write(name + "=" + value + "\\n");
  write(JSON.stringify({ [name]: value, nested: JSON.stringify({ value }) }) + "\\n");
  write("https://h/?q=" + encodeURIComponent(value) + "&" + new URLSearchParams({ q: value }) + "\\n");
  for (const before of ["", "x", "xx"]) {
    write(Buffer.from(before + value).toString("base64") + "\\n");
    write(Buffer.from(before + value).toString("base64url") + "\\n");
    write(Buffer.from(before + value).toString("base64").replace(/.{76}/g, "$&\\n") + "\\n");
  }
  const bytes = Buffer.from(value);
  for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 7)) {
    fs.writeSync(1, bytes.subarray(at, at + Math.ceil(bytes.length / 7)));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
  }
  fs.writeSync(1, "\\n");
}
`;

describe("no secret leaves mmm (spec 3.2)", () => {
  test.each([
    ["pretty", ["-vv"]],
    ["plain", ["-v"]],
    ["json", []],
  ])("by a shell step that prints all of them, in the %s report", async (reporter, flags) => {
    const steps = [
      "steps:",
      "  - id: print",
      "    shell: node print.cjs",
      "    capture_output: true",
      "  - shell: \"printf '%s' ${env.DOLLAR} ${env.LONG} ${env.QUOTES}; echo $PLAIN > made.txt\"",
      '    commit_message: "made with ${env.PLAIN}\\n\\nand ${env.LONG}\\nand ${env.UNICODE}"',
      '  - shell: \'printf "%s" "$URL"; test "$URL" = "https://u:$PLAIN@h/$LONG"\'',
      "    env: {URL: 'https://u:${env.PLAIN}@h/${env.LONG}'}",
      "  - shell: 'node print.cjs; printf \"%s\" ${print.output} > /dev/null; exit 3'",
      "    on_failure:",
      "      do: [{shell: \"printf '%s' ${error.message} ${shell.output}\"}]",
      "      max_attempts: 2",
    ];
    rig = await makeRig(usual(steps, { files: { "print.cjs": PRINTER } }));

    const args = [...flags, "cook", "p.yml", "--reporter", reporter];
    const ran = await rig.mmm(args, { env: given });

    expectDecent(ran, [1]);
    const left = await whatLeft(ran);
    expectNoSecret(left, all);
    expect(left.get("commits")).toContain("made with ***");
    const log = [...left].find(([file]) => file.endsWith("0001-1.log"))?.[1] ?? "";
    expect(log).toContain("PLAIN=***\n");
    expect(log).toContain('{"LONG":"***"');
    // The child got them byte for byte: the third step has seen so.
    expect(ran.stdout + ran.stderr).toContain("exit code 3");
  });

  test("by Claude, in events, text, log, recording and what is told of it", async () => {
    const spoken = all
      .map((secret) => `I saw ${secret} and ${encodeURIComponent(secret)}`)
      .join("\n");
    const base64 = all.map((secret) => Buffer.from(`k: ${secret}`).toString("base64")).join("\n");
    const claude = {
      calls: [
        {
          do: [
            { init: {} },
            { say: spoken },
            { tool: "Bash", input: { command: `deploy ${"x".repeat(170)} ${SECRETS["LONG"]}` } },
            { say: base64 },
            { stderr: spoken },
            { write: "made.txt", content: "made" },
            { result: { result: `${spoken}\n${base64}` } },
          ],
        },
        {
          do: [
            { init: {} },
            { result: { is_error: true, subtype: "error_during_execution", errors: [spoken] } },
          ],
        },
      ],
    };
    const steps = [
      "steps:",
      "  - id: ask",
      "    claude: Deploy it",
      "    secrets: [PLAIN, PEM]",
      "    outputs: {n: {capture: count, pattern: I saw}}",
      "  - claude: 'Again, after ${ask.n}: ${ask.output}'",
    ];
    rig = await makeRig(usual(steps, { claude }));
    const recording = path.join(rig.repo.base, "r.jsonl");

    const args = ["-vv", "cook", "p.yml", "-n", "1", "--record", recording];
    const ran = await rig.mmm(args, { env: given });

    expect(ran.code, ran.stderr).toBe(1);
    expectNoSecret(await whatLeft(ran, [recording]), all);
    const [first, second] = await rig.claude.calls();
    expect(second?.prompt).toMatch(/^Again, after 11: I saw \*\*\* and \*\*\*\n/);
    expect(first?.env).toMatchObject({ PLAIN: SECRETS["PLAIN"], PEM });
    // What it does not list it does not get, under no name.
    const rest = names.filter((name) => name !== "PLAIN" && name !== "PEM");
    for (const name of rest) {
      expect(first?.env).not.toHaveProperty(name);
      expect(first?.env).not.toHaveProperty(`FROM_${name}`);
    }
    expect(Object.values(second?.env ?? {}).filter((value) => all.includes(value))).toEqual([]);

    const replayed = await rig.mmm(
      ["cook", "p.yml", "-n", "1", "--allow-dirty", "--replay", recording],
      {
        env: given,
      },
    );
    expect(replayed.code).toBe(1);
    expect(replayed.stdout + replayed.stderr).not.toContain("no call for");
    expectNoSecret(await whatLeft(replayed), all);
  });

  test("by a hook that refuses the commit and says why", async () => {
    rig = await makeRig(usual(["steps:", "  - shell: echo x > made.txt"]));
    const hook = path.join(rig.repo.root, ".git", "hooks", "pre-commit");
    await fs.writeFile(hook, '#!/bin/sh\necho "refused: $FROM_PLAIN" >&2\nexit 1\n', {
      mode: 0o755,
    });

    const ran = await rig.mmm(["-vv", "cook", "p.yml"], { env: given });

    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("refused: ***");
    expectNoSecret(await whatLeft(ran), all);
  });
});

test("a captured output that holds a secret fails its step and says what to do instead", async () => {
  const steps = [
    "steps:",
    '  - shell: \'printf "score: 82, token %s" "$PLAIN"\'',
    "    outputs: {score: {capture: number, pattern: '/score: (\\d+)/'}}",
    "  - shell: \"printf '%s' ${score} > $OUT/score\"",
    "  - shell: 'printf %s \"$PLAIN\"'",
    "    outputs: {t: {capture: text}}",
    "  - shell: 'touch $OUT/never'",
  ];
  rig = await makeRig(usual(steps));

  const ran = await rig.mmm(["cook", "p.yml"], { env: given });

  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("output t: what was captured holds a secret");
  expect(await rig.received()).toEqual({ score: "82" });
});

describe("who gets a secret (spec 2.2)", () => {
  const dump = (file: string): string =>
    `printf %s "\${A-none} \${B-none} \${FROM_A-none}" > $OUT/${file}`;
  const secrets = "secrets: {A: {env: FROM_A}, B: {env: B}}";
  const env = { FROM_A: "planted-a", B: "planted-b" };

  test("shell steps at the top, in handlers and for inputs get all", async () => {
    const playbook = [
      secrets,
      "steps:",
      `  - shell: '${dump("top-$ARG")}; exit 1'`,
      "    on_failure:",
      `      do: [{shell: '${dump("handler-$ARG")}'}]`,
      "      max_attempts: 1",
      "      fail_workflow: false",
      "  - shell: 'true'",
      `    on_success: {shell: '${dump("success-$ARG")}'}`,
    ];
    rig = await makeRig({ files: { "p.yml": `${playbook.join("\n")}\n` } });

    const ran = await rig.mmm(["cook", "p.yml", "--args", "1", "--args", "2"], { env });

    expectDecent(ran, [0]);
    const all = "planted-a planted-b planted-a";
    const names = ["handler-1", "handler-2", "success-1", "success-2", "top-1", "top-2"];
    expect(await rig.received()).toEqual(Object.fromEntries(names.map((name) => [name, all])));
  });

  test("Claude steps get those they list, also by `defaults` and in a handler", async () => {
    const playbook = [
      secrets,
      "defaults: {secrets: A}",
      "steps:",
      "  - claude: first",
      "  - claude: second",
      "    secrets: [B]",
      "    env: {URL: 'u:${env.B}'}",
      "  - shell: exit 1",
      "    on_failure: {claude: third, max_attempts: 1, fail_workflow: false}",
    ];
    rig = await makeRig({ files: { "p.yml": `${playbook.join("\n")}\n` } });

    const ran = await rig.mmm(["cook", "p.yml", "-n", "1"], { env });

    expectDecent(ran, [0]);
    const calls = await rig.claude.calls();
    const got = calls.map(({ env: { A, B, FROM_A, URL } }) => ({ A, B, FROM_A, URL }));
    const none = { A: undefined, B: undefined, FROM_A: undefined, URL: undefined };
    expect(got).toEqual([
      { ...none, A: "planted-a", FROM_A: "planted-a" },
      { ...none, B: "planted-b", URL: "u:planted-b" },
      none,
    ]);
  });
});

describe("a secret that cannot be had stops mmm before anything starts, with exit 3 (spec 2.1)", () => {
  test.each([
    ["is not set", undefined, "secret A: the variable FROM_A is not set"],
    ["is empty", "", "secret A: the variable FROM_A is empty"],
    ["is too short", "abc", "secret A: the variable FROM_A holds 3 bytes"],
  ])("its variable %s", async (_, value, message) => {
    const playbook = "secrets: {A: {env: FROM_A}}\nsteps: [{shell: touch $OUT/ran}]\n";
    rig = await makeRig({ files: { "p.yml": playbook } });

    const ran = await rig.mmm(["cook", "p.yml"], { env: { FROM_A: value } });

    expectDecent(ran, [3]);
    expect(ran.stderr).toContain(message);
    expect(await rig.received()).toEqual({});
  });

  test("its file is not there, and all of them are told", async () => {
    const playbook =
      "secrets: {A: {file: no.txt}, B: {env: NO_B}}\nsteps: [{shell: touch $OUT/ran}]\n";
    rig = await makeRig({ files: { "p.yml": playbook } });

    const ran = await rig.mmm(["cook", "p.yml"]);

    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("secret A: the file no.txt is not there");
    expect(ran.stderr).toContain("secret B: the variable NO_B is not set");
    expect(await rig.received()).toEqual({});
  });
});

test("a resumed session gets parameters and secrets again, and masks them again (spec 7)", async () => {
  const playbook = [
    "params: {a: {required: true}}",
    "secrets: {TOKEN: {env: TOKEN}}",
    "steps:",
    "  - id: one",
    "    shell: 'echo one ${params.a} $TOKEN; echo x > one.txt'",
    "  - shell: 'test -e $OUT/go || { touch $OUT/go; kill -INT $PPID; sleep 60; }; printf %s ${one.output} > $OUT/seen; printf %s \"$TOKEN ${params.a}\" > $OUT/got'",
  ];
  rig = await makeRig({ files: { "p.yml": `${playbook.join("\n")}\n` } });
  const secret = "planted-for-resume";
  const env = { TOKEN: secret };

  const first = await rig.mmm(["cook", "p.yml", "--param", "a=A1"], { env });
  const again = await rig.mmm(["resume", "-v"], { env });

  expectDecent(first, [130]);
  expectDecent(again, [0]);
  expect(await rig.received()).toMatchObject({ seen: "one A1 ***\n", got: `${secret} A1` });
  expectNoSecret(await whatLeft(again), [secret]);
});

test("a condition, a gate and `until` see a secret from a file and under another name, and show none (spec 2.5)", async () => {
  rig = await makeRig({
    files: {
      ".gitignore": "key.txt\n",
      "key.txt": "planted-in-a-file\n",
      "p.yml": `secrets: {KEY: {file: key.txt}, OTHER: {env: FROM_OTHER}}
gates: {keyed: {expression: "env.KEY == 'planted-in-a-file'"}}
until: endsWith(env.OTHER, 'elsewhere')
max_iterations: 1
steps:
  - {shell: "echo x > c.txt", condition: "startsWith(env.KEY, 'planted-') && env.OTHER != ''"}
  - {shell: "echo x > a.txt", condition: "env.KEY == 'wrong'"}
  - {shell: "echo x > b.txt", validation: keyed}
`,
    },
  });
  const env = { FROM_OTHER: "planted-elsewhere" };

  const ran = await rig.mmm(["cook", "p.yml", "-vv"], { env });

  expectDecent(ran, [0]);
  expect(await rig.repo.git("ls-files")).toBe(".gitignore\nb.txt\nc.txt\np.yml");
  const shown = new RegExp(`${env.FROM_OTHER}|= planted-in-a-file`);
  for (const [place, text] of await whatLeft(ran))
    // The conditions are the user's own words.
    if (!place.endsWith("journal.jsonl")) expect(text).not.toMatch(shown);
});
