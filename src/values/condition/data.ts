/** mmm's values as those of the official library, each part of a list or an object when it is looked at. */
import * as data from "@actions/expressions/data/index";
import { isList, type Value } from "../value.ts";
import type { Budget } from "./budget.ts";

export type Data = data.ExpressionData;

export function dataOf(value: Value, budget: Budget): Data {
  if (value === null) return new data.Null();
  if (typeof value === "string") return new data.StringData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "boolean") return new data.BooleanData(value);
  return isList(value) ? new LazyList(value, budget) : new LazyObject(value, budget);
}

/** What the library's own value stands for; NaN and the infinities are null, as in JSON. */
export function valueOf(from: Data): Value {
  if (from instanceof LazyList || from instanceof LazyObject) return from.value;
  if (from instanceof data.Array) return from.values().map(valueOf);
  if (from instanceof data.StringData) return from.value;
  if (from instanceof data.BooleanData) return from.value;
  if (from instanceof data.NumberData) return Number.isFinite(from.value) ? from.value : null;
  return null;
}

class LazyList extends data.Array {
  readonly value: readonly Value[];
  readonly #budget: Budget;
  /** One object a part: lists and objects are equal when they are the same one. */
  readonly #parts = new Map<number, Data>();
  #all: Data[] | null = null;

  constructor(value: readonly Value[], budget: Budget) {
    super();
    this.value = value;
    this.#budget = budget;
  }

  override get(index: number): Data {
    const known = this.#parts.get(index);
    if (known !== undefined) return known;
    const part = dataOf(this.value[index] ?? null, this.#budget);
    this.#parts.set(index, part);
    return part;
  }

  override values(): Data[] {
    if (this.#all === null) {
      this.#budget.items(this.value.length);
      this.#all = this.value.map((_part, index) => this.get(index));
    }
    return this.#all;
  }
}

type JsonObject = Exclude<Value, string | number | boolean | null | readonly Value[]>;

/** The library finds fields in any case; here the one written just so comes first, and all are kept. */
class LazyObject extends data.Dictionary {
  readonly value: JsonObject;
  readonly #budget: Budget;
  readonly #parts = new Map<string, Data>();
  #folded: Map<string, string> | null = null;

  constructor(value: JsonObject, budget: Budget) {
    super();
    this.value = value;
    this.#budget = budget;
  }

  override get(key: string): Data | undefined {
    const name = Object.hasOwn(this.value, key) ? key : this.#inAnyCase(key);
    return name === undefined ? undefined : this.#part(name);
  }

  override values(): Data[] {
    const names = Object.keys(this.value);
    this.#budget.items(names.length);
    return names.map((name) => this.#part(name));
  }

  override pairs(): ReturnType<data.Dictionary["pairs"]> {
    const names = Object.keys(this.value);
    this.#budget.items(names.length);
    return names.map((key) => ({ key, value: this.#part(key) }));
  }

  #part(name: string): Data {
    const known = this.#parts.get(name);
    if (known !== undefined) return known;
    const part = dataOf(this.value[name] ?? null, this.#budget);
    this.#parts.set(name, part);
    return part;
  }

  #inAnyCase(key: string): string | undefined {
    if (this.#folded === null) {
      const names = Object.keys(this.value);
      this.#budget.items(names.length);
      // In reverse: of names that differ in case alone the first one counts, as in the library.
      this.#folded = new Map(names.toReversed().map((name) => [name.toLowerCase(), name]));
    }
    return this.#folded.get(key.toLowerCase());
  }
}
