import { describe, expect, it } from "vitest";
import { readCommandRules } from "../../src/app/command-rules.ts";

describe("the mmm block of a command file (spec 9.2)", () => {
  it("says commit, produces and consumes", () => {
    const text =
      "---\ndescription: x\nmmm: {commit: required, produces: spec, consumes: spec}\n---\nx";

    expect(readCommandRules(text)).toEqual({
      rules: { commit: "required", produces: "spec", consumes: "spec" },
      problems: [],
    });
  });

  it("leaves what is not said to the step", () => {
    expect(readCommandRules("\uFEFF---\r\nmmm:\r\n  commit: optional\r\n---\r\n").rules).toEqual({
      commit: "optional",
      produces: null,
      consumes: null,
    });
  });

  it.each([
    ["no frontmatter", "# Title\nmmm: {commit: required}\n"],
    ["a frontmatter without the block", "---\ndescription: x\n---\n"],
    ["one that never ends", "---\nmmm: {commit: required}\n"],
    ["one that is no YAML", "---\nmmm: {commit: [\n---\n"],
    ["one that holds an alias to nothing", "---\nmmm: *x\n---\n"],
    ["an empty file", ""],
  ])("has nothing to say in a file with %s", (_, text) => {
    expect(readCommandRules(text)).toEqual({ rules: null, problems: [] });
  });

  it("names every key and value that is wrong", () => {
    const text = "---\nmmm: {commit: yes, produces: plan, comit: x, __proto__: y}\n---\n";

    expect(readCommandRules(text)).toEqual({
      rules: null,
      problems: [
        '`mmm.commit` is required or optional, not "yes"',
        '`mmm.produces` is spec, not "plan"',
        "unknown key `mmm.comit`",
        "unknown key `mmm.__proto__`",
      ],
    });
    expect(readCommandRules("---\nmmm: required\n---\n").problems).toHaveLength(1);
  });
});
