/** A condition and the values of its references to an answer, by the official library (spec 2.5). */
import {
  Binary,
  type ContextAccess,
  type Expr,
  type IndexAccess,
  Literal,
} from "@actions/expressions/ast";
import {
  Array as DataArray,
  Dictionary,
  Kind,
  Null,
  StringData,
} from "@actions/expressions/data/index";
import { Evaluator } from "@actions/expressions/evaluator";
import type { FunctionDefinition } from "@actions/expressions/funcs/info";
import { type Token, TokenType } from "@actions/expressions/lexer";
import { truthy } from "@actions/expressions/result";
import { err, ok, type Result } from "../../lib/result.ts";
import type { Value } from "../value.ts";
import { Budget, ConditionTooCostly } from "./budget.ts";
import type { Condition, ConditionReference } from "./compile.ts";
import { type Data, dataOf } from "./data.ts";
import { boundedFunctions, lengthOf, type RunStatus } from "./functions.ts";

/** What an evaluation asks of the run. `values`: by reference; one that is not there is null. */
export interface ConditionWorld {
  readonly values: ReadonlyMap<ConditionReference, Value>;
  readonly status: RunStatus;
}

/** True or false; the error says why it is neither (no JSON, too large). Never throws. */
export function evaluateCondition(
  condition: Condition,
  world: ConditionWorld,
): Result<boolean, string> {
  const result = evaluateExpression(condition, world);
  return result.ok ? ok(truthy(result.value)) : result;
}

/** The value itself, as the library has it. */
export function evaluateExpression(
  { tree, references }: Condition,
  { values, status }: ConditionWorld,
): Result<Data, string> {
  const budget = new Budget();
  try {
    const known = new Map<Expr, Data>();
    // One object a value: a list equals itself, however often it is referred to.
    const whole = new Map<Value, Data>();
    for (const [node, reference] of references) {
      const value = values.get(reference) ?? null;
      const data = whole.get(value) ?? dataOf(value, budget);
      whole.set(value, data);
      known.set(node, valueAt(reference, data));
    }
    const functions = boundedFunctions(budget, status);
    return ok(new BoundedEvaluator(tree, { known, functions, budget }).evaluate());
  } catch (error) {
    return err(wording(error));
  }
}

function wording(error: unknown): string {
  if (error instanceof Error && error.cause instanceof ConditionTooCostly)
    return error.cause.message;
  if (error instanceof RangeError) return "its values are too large or nested too deep";
  return error instanceof Error ? error.message.slice(0, 500) : String(error);
}

/** Fields and indexes by the library's rules; then what is missing or empty is the fallback (spec 3.1). */
function valueAt({ reference, rest }: ConditionReference, whole: Data): Data {
  let here = whole;
  for (const key of rest) {
    if (here instanceof DataArray)
      here = typeof key === "number" && key < here.values().length ? here.get(key) : new Null();
    else if (here instanceof Dictionary) here = here.get(String(key)) ?? new Null();
    else here = new Null();
  }
  const { fallback } = reference;
  return fallback !== null && isEmpty(here) ? new StringData(fallback) : here;
}

function isEmpty(value: Data): boolean {
  if (value instanceof DataArray) return value.values().length === 0;
  return value.kind === Kind.Null || (value instanceof StringData && value.value === "");
}

/** The official evaluator; references are looked up by their node, and each step is counted before it is taken. */
class BoundedEvaluator extends Evaluator {
  readonly #known: ReadonlyMap<Expr, Data>;
  readonly #budget: Budget;

  constructor(
    tree: Expr,
    world: {
      readonly known: ReadonlyMap<Expr, Data>;
      readonly functions: Map<string, FunctionDefinition>;
      readonly budget: Budget;
    },
  ) {
    super(tree, new Dictionary(), world.functions);
    this.#known = world.known;
    this.#budget = world.budget;
  }

  override visitContextAccess(node: ContextAccess): Data {
    return this.#known.get(node) ?? new Null();
  }

  override visitIndexAccess(node: IndexAccess): Data {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const result = super.visitIndexAccess(node);
    // What `*` gathers is gone through by whoever asked for it.
    if (result instanceof DataArray) this.#budget.items(result.values().length);
    return result;
  }

  override visitBinary({ left, operator, right }: Binary): Data {
    const [one, other] = [this.eval(left), this.eval(right)];
    this.#budget.work(lengthOf(one) + lengthOf(other));
    return super.visitBinary(new Binary(made(one), operator, made(other)));
  }
}

const NOWHERE = { line: 0, column: 0 };
const NO_TOKEN: Token = {
  type: TokenType.UNKNOWN,
  lexeme: "",
  range: { start: NOWHERE, end: NOWHERE },
};

function made(value: Data): Literal {
  return new Literal(value, NO_TOKEN);
}
