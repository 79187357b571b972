/** The `mmm:` block of a user's own command, when it is wrong: told before anything is paid for (spec 9.2). */
import path from "node:path";
import { expect, test } from "vitest";
import type { Check } from "../../src/app/doctor.ts";
import { openKitchen } from "../support/kitchen.ts";

/** Name of the command, what its frontmatter says, and what is told of it. */
const WRONG: readonly (readonly [name: string, block: string, told: string])[] = [
  ["no-mapping", "mmm: yes", 'mmm: is "yes", not a mapping'],
  ["commit", "mmm: {commit: maybe}", 'mmm.commit is "maybe"; it can be required or optional'],
  ["produces", "mmm: {produces: code}", 'mmm.produces is "code"; it can be spec'],
  ["consumes", "mmm: {consumes: 7}", "mmm.consumes is 7; it can be spec"],
  ["unknown", "mmm: {comit: required}", "mmm.comit is not known; known are commit, produces"],
  ["no-yaml", "mmm: [1", "its frontmatter is no YAML"],
  ["names-alone", "mmm: {outputs: [x]}", "mmm.outputs is no mapping"],
  ["rule", "mmm: {outputs: {x: {capture: jsn}}}", "did you mean `json`?"],
  ["team:folder", "mmm: {commit: 1}", "mmm.commit is 1"],
];

test("each thing wrong in a block is told by validate at the call, by doctor, and by cook", async () => {
  const { mmm, cook, repo, prompts, dispose } = await openKitchen();
  try {
    for (const [name, block] of WRONG)
      await repo.write(
        `.claude/commands/${name.replace(":", "/")}.md`,
        `---\ndescription: own\n${block}\n---\nDo $ARGUMENTS\n`,
      );
    const playbook = WRONG.map(([name]) => `- claude: "/${name}"\n`).join("");
    await repo.write("pb.yml", playbook);

    const validated = await mmm(["validate", "pb.yml"]);
    const doctor = await mmm(["doctor", "--json"]);
    const cooked = await cook(playbook, ["-n", "1"]);

    const { checks } = JSON.parse(doctor.stdout) as { readonly checks: readonly Check[] };
    for (const [index, [name, , told]] of WRONG.entries()) {
      const file = `${path.join(repo.root, ".claude/commands", name.replace(":", "/"))}.md: `;
      const line = validated.stdout
        .split("\n")
        .find((each) => each.startsWith(`pb.yml:${index + 1}:11 command-block warning: ${file}`));
      expect(line).toContain(told);
      const check = checks.find(({ message }) => message.startsWith(file));
      expect(check).toMatchObject({ name: "commands", status: "warning" });
      expect(check?.message).toContain(told);
      expect(cooked.stdout + cooked.stderr).toContain(file);
    }
    // What is left of a wrong block counts; nothing else is made up.
    expect(cooked.code).toBe(0);
    expect(await prompts()).toHaveLength(WRONG.length);
  } finally {
    await dispose();
  }
});

test("a good block of an own command is silent, wherever Claude finds the command", async () => {
  const { mmm, repo, dispose } = await openKitchen();
  try {
    const text = "---\ndescription: own\nmmm:\n  commit: required\n  produces: spec\n---\nx\n";
    await repo.write(".claude/commands/own.md", text);
    await repo.write(".claude/skills/skilled/SKILL.md", `---\nname: skilled\n${text.slice(4)}`);
    await repo.write("../home/.claude/commands/at-home.md", text);
    await repo.write(
      "pb.yml",
      ["own", "skilled", "at-home"].map((name) => `- claude: "/${name}"\n`).join(""),
    );

    const { code, stdout, stderr } = await mmm(["validate", "pb.yml"]);
    const doctor = await mmm(["doctor"]);

    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "pb.yml: ok\n", stderr: "" });
    expect(doctor.stdout).toContain("3 found, 0 of the");
    expect(doctor.stdout).not.toContain(".md: ");
  } finally {
    await dispose();
  }
});

const BUILD =
  "---\ndescription: build\nmmm: {commit: optional, consumes: spec}\n---\nbuild $ARGUMENTS\n";
const LOOK = "---\ndescription: look\nmmm: {commit: optional}\n---\nlook\n";

test.each<[what: string, playbook: string, place: string | null]>([
  ["nobody before it", '- claude: "/build"', "1:11"],
  ["a command that writes none", '- claude: "/look"\n- claude: "/build"', "2:11"],
  ["one that comes too late", '- build\n- claude: "/write"', "1:3"],
  ["only its own handler", '- {claude: "/build", on_failure: {shell: "true"}}', "1:12"],
  ["a command that produces one", '- claude: "/write"\n- claude: "/build"', null],
  ["a command that says nothing of itself", '- claude: "/silent"\n- claude: "/build"', null],
  ["a prompt", '- claude: "write a spec"\n- claude: "/build"', null],
  ["a shell step", '- shell: "cp a specs/b.md"\n- claude: "/build"', null],
  ["an argument", '- claude: "/build specs/a.md"', null],
  ["arguments", "- {name: build, args: [a]}", null],
])(
  "consumes: spec, and %s: said by validate and cook where it can have nothing to do",
  async (_, playbook, place) => {
    const { mmm, cook, repo, dispose } = await openKitchen();
    try {
      await repo.write(".claude/commands/build.md", BUILD);
      await repo.write(".claude/commands/look.md", LOOK);
      await repo.write(
        ".claude/commands/write.md",
        LOOK.replace("optional", "optional, produces: spec"),
      );
      await repo.write(".claude/commands/silent.md", "look\n");
      await repo.write("pb.yml", playbook);

      const { code, stdout } = await mmm(["validate", "pb.yml"]);
      const plan = await cook(playbook, ["--dry-run"]);

      const words =
        "/build takes the newest spec of the iteration, and no step before it writes one";
      expect(code).toBe(0);
      if (place === null) expect(stdout).toBe("pb.yml: ok\n");
      else expect(stdout).toContain(`pb.yml:${place} no-spec warning: ${words}`);
      expect((plan.stdout + plan.stderr).includes(words)).toBe(place !== null);
    } finally {
      await dispose();
    }
  },
);
