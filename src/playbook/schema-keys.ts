import * as z from "zod";
import type { Shape } from "../steps/shape.ts";

/** The keys that a mapping's shape allows at a path in it; none when no mapping may stand there. */
export function keysAt(shape: Shape, path: readonly PropertyKey[]): readonly string[] {
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(shape);
  const next = shape[String(first)];
  return next === undefined ? [] : keysIn(next, rest);
}

function keysIn(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const [first, ...rest] = path;
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) {
    return inner.options.flatMap((option) => keysIn(option, path));
  }
  if (inner instanceof z.ZodRecord) {
    return first === undefined ? [] : keysIn(inner.valueType, rest);
  }
  return inner instanceof z.ZodObject ? keysAt(inner.shape, path) : [];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodLazy
    ? unwrap(schema.unwrap())
    : schema;
}
