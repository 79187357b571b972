import { describe, expect, test } from "vitest";
import { z } from "zod";
import { stepOptions } from "../../src/steps/options.ts";
import { madeAtOnce } from "../../src/steps/shape.ts";
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
    "a step with `%s` has every step option",
    (_, { shape }) => {
      expect(Object.keys(shape)).toEqual(expect.arrayContaining(Object.keys(stepOptions)));
    },
  );

  test.each(stepKinds.map((kind) => [kind.key, kind] as const))(
    "the shape of `%s` is also a JSON Schema, and all that must be there is asked for",
    (key, { shape }) => {
      const json = z.toJSONSchema(z.strictObject(shape), { io: "input" });

      expect(json.required).toContain(key);
      // `check` makes the schema of a missing key only when it stands here.
      expect([key, ...madeAtOnce(shape)]).toEqual(expect.arrayContaining(json.required ?? []));
      expect(Object.keys(json.properties ?? {})).toEqual(Object.keys(shape));
    },
  );
});
