/**
 * Schemas that are made when they are first asked for: to make all of them takes longer than to read a playbook, and
 * most playbooks hold few of the keys (decision 0028).
 */
import type * as z from "zod";

/** Of each key of a mapping its schema. */
export type Shape = Readonly<Record<string, z.ZodType>>;

/** Made by the first call; the same ever after. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** For keys that may be missing, or whose presence is known: a key that stands here is asked for where it is written alone. */
export function later<T extends Shape>(makers: { readonly [K in keyof T]: () => T[K] }): T {
  const getters = Object.entries<() => z.ZodType>(makers).map(
    ([key, make]) => [key, { get: once(make), enumerable: true, configurable: true }] as const,
  );
  return Object.defineProperties({}, Object.fromEntries(getters)) as T;
}

/** `{ ...first, ...second }`, and nothing is made by it. */
export function together<A extends Shape, B extends Shape>(
  first: A,
  second: B,
): Omit<A, keyof B> & B {
  const all = {
    ...Object.getOwnPropertyDescriptors(first),
    ...Object.getOwnPropertyDescriptors(second),
  };
  return Object.defineProperties({}, all) as Omit<A, keyof B> & B;
}

/** Those of the keys, in their order. */
export function only(shape: Shape, isMeant: (key: string) => boolean): Shape {
  const all = Object.entries(Object.getOwnPropertyDescriptors(shape));
  const meant = Object.fromEntries(all.filter(([key]) => isMeant(key)));
  return Object.defineProperties({}, meant);
}

/** Keys that are asked for although they are missing: those that were made at once. */
export function madeAtOnce(shape: Shape): readonly string[] {
  const all = Object.entries(Object.getOwnPropertyDescriptors(shape));
  return all.flatMap(([key, made]) => ("value" in made ? [key] : []));
}
