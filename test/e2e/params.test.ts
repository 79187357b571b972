/** Parameters, end to end (spec 1, 2.1, 3.1): flag beats file beats default; what does not fit stops before anything runs. */
import { afterEach, describe, expect, test } from "vitest";
import { expectDecent, makeRig, type Rig } from "./rig.ts";

let rig: Rig;
afterEach(async () => rig.dispose());

const PLAYBOOK = `
params:
  version: {required: true, description: Version to release}
  count: {type: number, default: 3}
  level: {choices: [low, high], default: low}
  dry: {type: boolean, default: false}
  files: {type: list, default: [a, "b c"]}
  note: {}
env:
  COUNT: "n\${params.count}"
steps:
  - shell: printf '<%s>' \${params.version} \${params.count} \${params.level} \${params.dry} \${params.note} \${params.files} \${params.files[1]} "$COUNT" "$STEP" > $OUT/got
    env: {STEP: "\${env.COUNT}/\${params.level}"}
    on_success:
      shell: printf '%s' '\${params.version}' > $OUT/handler
  - claude: "Release \${params.version} with \${params.files}"
`;

async function cook(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  rig = await makeRig({ files: { "p.yml": PLAYBOOK } });
  for (const [name, text] of Object.entries(files)) await rig.repo.write(name, text);
  return await rig.mmm(["cook", "p.yml", "-n", "1", ...args]);
}

describe("the values of parameters (spec 1)", () => {
  test("defaults stand for what nobody gives, and null for what has none", async () => {
    const ran = await cook(["--param", "version=1.10"]);

    expectDecent(ran, [0]);
    expect(await rig.received()).toEqual({
      got: "<1.10><3><low><false><><a><b c><b c><n3><n3/low>",
      handler: "1.10",
    });
    expect((await rig.claude.calls())[0]?.prompt).toBe("Release 1.10 with a b c");
  });

  test("a file beats the default, a flag the file; the file is no dirt", async () => {
    const file = "version: 1.10\ncount: 4\nlevel: high\ndry: true\nfiles: [x, 2]\nnote: '007'\n";
    const ran = await cook(["--param-file", "v.yml", "--param", "count=5.5"], { "v.yml": file });

    expectDecent(ran, [0]);
    const got = "<1.10><5.5><high><true><007><x><2><2><n5.5><n5.5/high>";
    expect(await rig.received()).toMatchObject({ got });
    expect(await rig.repo.git("status", "--porcelain")).toContain("?? v.yml");
  });

  test("a file of JSON is one too, and a list grows with each flag or comes as JSON", async () => {
    const json = JSON.stringify({ version: "2", files: ["from file"] });
    const flags = ["--param", "files=x y", "--param", "files=[z"];
    const ran = await cook(["--param-file", "v.json", ...flags], { "v.json": json });

    expectDecent(ran, [0]);
    expect((await rig.received())["got"]).toContain("<x y><[z><[z>");
    const whole = await rig.mmm([
      "cook",
      "p.yml",
      "--allow-dirty",
      "-n",
      "1",
      "--param",
      "version=1",
      "--param",
      'files=["p","q r"]',
    ]);
    expectDecent(whole, [0]);
    expect((await rig.received())["got"]).toContain("<p><q r><q r>");
  });

  test("are data: nothing in them is ever run (spec 3.2)", async () => {
    const hostile =
      "1'\"; touch $OUT/canary; $(touch $OUT/canary) `touch $OUT/canary` ${params.count}";
    const ran = await cook([`--param=version=${hostile}`]);

    expectDecent(ran, [0]);
    const { got, handler, ...rest } = await rig.received();
    expect(got).toContain(`<${hostile}>`);
    expect(handler).toBe(hostile);
    expect(rest).toEqual({});
  });

  test("come to every input and iteration", async () => {
    rig = await makeRig({
      files: {
        "p.yml":
          "params: {a: {default: v}}\nsteps:\n  - shell: printf '%s' ${params.a}$ARG > $OUT/$ARG\n",
      },
    });

    const ran = await rig.mmm(["cook", "p.yml", "--args", "1", "--args", "2", "--param", "a=w"]);

    expectDecent(ran, [0]);
    expect(await rig.received()).toEqual({ "1": "w1", "2": "w2" });
  });
});

describe("what does not fit is exit 2, and nothing runs (spec 1)", () => {
  test.each([
    [[], ["the parameter version is required: Version to release", "--param version=STRING"]],
    [
      ["--param", "verson=1"],
      ["--param verson: the playbook has no such parameter", "did you mean version?"],
    ],
    [["--param", "version"], ["--param version has no value"]],
    [["--param", "version=1", "--param", "count=x"], ['--param count must be a number, not "x"']],
    [["--param", "version=1", "--param", "count="], ['--param count must be a number, not ""']],
    [
      ["--param", "version=1", "--param", "dry=yes"],
      ['--param dry must be true or false, not "yes"'],
    ],
    [
      ["--param", "version=1", "--param", "level=hig"],
      ['--param level must be one of low, high, not "hig"', "did you mean `high`?"],
    ],
    [
      ["--param", "version=1", "--param", "version=2"],
      ["--param version must be given once, not 2 times"],
    ],
    [["--param-file", "none.yml"], ["--param-file none.yml"]],
  ])("%j", async (args, messages) => {
    const ran = await cook(args);

    expectDecent(ran, [2]);
    for (const message of messages) expect(ran.stderr).toContain(message);
    expect(await rig.received()).toEqual({});
  });

  test("in a file, each problem with its place", async () => {
    const file = 'version: [1]\ncount: "4"\nlvl: low\nlevel: mid\n';
    const ran = await cook(["--param-file", "v.yml"], { "v.yml": file });

    expectDecent(ran, [2]);
    expect(ran.stderr).toContain("v.yml:1:10 wrong-type `version` must be a text, not a list");
    expect(ran.stderr).toContain('v.yml:2:8 wrong-type `count` must be a number, not the text "4"');
    expect(ran.stderr).toContain("v.yml:3:1 unknown-param the playbook has no parameter `lvl`");
    expect(ran.stderr).toContain("v.yml:4:8 bad-value `level` must be one of low, high");
    expect(ran.stderr).toContain("4 problems, nothing was run");
  });

  test("validate knows no values: a required one is a note", async () => {
    rig = await makeRig({ files: { "p.yml": PLAYBOOK } });

    const ran = await rig.mmm(["validate", "p.yml"]);

    expectDecent(ran, [0]);
    expect(ran.stdout).toContain("p.yml:3:3 needs-param note: the parameter version is required");
  });
});
