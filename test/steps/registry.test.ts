import { describe, expect, test } from "vitest";
import { z } from "zod";
import { stepOptions } from "../../src/steps/options.ts";
import { stepKinds } from "../../src/steps/registry.ts";

describe("step kinds (spec 2.1)", () => {
  test("each has a key of its own, and one of them gives way to the others", () => {
    expect(stepKinds.map(({ key }) => key)).toEqual([
      "claude",
      "name",
      "shell",
      "analyze",
      "foreach",
    ]);
    expect(stepKinds.filter(({ weak }) => weak).map(({ key }) => key)).toEqual(["name"]);
  });

  /** A loop hands the options on to the steps in it, and takes few itself. */
  const alone = stepKinds.filter(({ inside }) => inside === undefined);

  test.each(alone.map((kind) => [kind.key, kind] as const))(
    "a step with `%s` has every step option and no unknown key",
    (key, { schema }) => {
      expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(Object.keys(stepOptions)));
      expect(schema.safeParse({ [key]: "mmm-x", colour: 1 }).error?.issues).toEqual(
        expect.arrayContaining([expect.objectContaining({ keys: ["colour"] })]),
      );
    },
  );

  test.each(stepKinds.map((kind) => [kind.key, kind] as const))(
    "the schema of `%s` is also a JSON Schema that forbids other keys",
    (key, { schema }) => {
      const json = z.toJSONSchema(schema, { io: "input" });

      expect(json).toMatchObject({ type: "object", additionalProperties: false });
      expect(json.required).toContain(key);
      expect(Object.keys(json.properties ?? {})).toEqual(Object.keys(schema.shape));
    },
  );
});
