/** What kinds of value an expression can have, and which comparisons can never be true (spec 2.5). */
import {
  Binary,
  type Expr,
  FunctionCall,
  Grouping,
  Literal,
  Logical,
  Unary,
} from "@actions/expressions/ast";
import { BooleanData, NumberData, StringData } from "@actions/expressions/data/index";
import { TokenType } from "@actions/expressions/lexer";
import type { Condition, ConditionReference } from "./compile.ts";

/** Any of them may be null besides, when its step was skipped. */
type ValueKind = "text" | "number" | "boolean" | "list" | "object";

export interface PlainType {
  readonly kind: "unknown" | "null" | ValueKind;
}

export type StaticType =
  | PlainType
  /** Written in the condition itself. */
  | { readonly kind: "literal"; readonly value: string | number | boolean };

/** A comparison that is the same whatever the values are. */
export interface DeadComparison {
  readonly node: Binary;
  readonly message: string;
  readonly help: string;
}

type TypeOf = (reference: ConditionReference) => StaticType;

export function deadComparisons(
  { tree, references }: Condition,
  typeOf: TypeOf,
): readonly DeadComparison[] {
  const found: DeadComparison[] = [];
  const typed = (node: Expr): StaticType => {
    const reference = references.get(node);
    if (reference !== undefined) return typeOf(reference);
    if (node instanceof Grouping) return typed(node.group);
    if (node instanceof Literal) return literalType(node);
    if (node instanceof Unary) {
      typed(node.expr);
      return { kind: "boolean" };
    }
    if (node instanceof FunctionCall) {
      for (const arg of node.args) typed(arg);
      return { kind: RESULTS.get(node.functionName.lexeme.toLowerCase()) ?? "unknown" };
    }
    if (node instanceof Logical) for (const arg of node.args) typed(arg);
    if (!(node instanceof Binary)) return { kind: "unknown" };
    const sides = [typed(node.left), typed(node.right)] as const;
    const why = whyNever(...sides);
    if (why !== null) found.push({ node, ...why });
    return { kind: "boolean" };
  };
  typed(tree);
  return found;
}

const RESULTS: ReadonlyMap<string, ValueKind> = new Map([
  ...["contains", "startswith", "endswith", "success", "failure", "always"].map(
    (name) => [name, "boolean"] as const,
  ),
  ...["format", "join", "tojson"].map((name) => [name, "text"] as const),
]);

function literalType({ literal }: Literal): StaticType {
  if (literal instanceof StringData || literal instanceof NumberData)
    return { kind: "literal", value: literal.value };
  if (literal instanceof BooleanData) return { kind: "literal", value: literal.value };
  return { kind: "null" };
}

/** By the coercion of GitHub Actions: lists equal nothing, and a text that is no number equals no number. */
function whyNever(one: StaticType, other: StaticType): Omit<DeadComparison, "node"> | null {
  const kinds = [basic(one), basic(other)];
  if (kinds.includes("unknown") || kinds.includes("null")) return null;
  for (const what of ["list", "object"] as const) {
    if (!kinds.includes(what)) continue;
    // It may be the same one.
    if (kinds[0] === kinds[1]) return null;
    const message = `${article(what)} compares with nothing but itself`;
    const help =
      what === "list"
        ? "ask contains(list, value), or compare join(list, ',')"
        : "compare one of its fields, or toJSON(object)";
    return { message, help };
  }
  for (const [text, against] of [
    [one, other],
    [other, one],
  ] as const) {
    const kind = basic(against);
    if (text.kind === "literal" && typeof text.value === "string" && kind !== "text") {
      if (!Number.isNaN(Number(text.value))) continue;
      const message = `the text '${short(text.value)}' never compares with ${article(kind)}`;
      if (kind === "boolean")
        return { message, help: "write true or false without quotes, or the value alone" };
      return { message, help: "compare with a number" };
    }
    if (text.kind === "literal" && Number.isNaN(text.value))
      return { message: "nothing compares with NaN", help: "compare with a number" };
  }
  return null;
}

function basic(type: StaticType): ValueKind | "unknown" | "null" {
  if (type.kind !== "literal") return type.kind;
  return typeof type.value === "string"
    ? "text"
    : typeof type.value === "number"
      ? "number"
      : "boolean";
}

function article(kind: ValueKind | "unknown" | "null"): string {
  return kind === "object" ? "an object" : kind === "boolean" ? "true or false" : `a ${kind}`;
}

function short(text: string): string {
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
}

/** The operator as it is written. */
export function operatorOf({ operator }: Binary): { readonly at: number; readonly text: string } {
  return { at: operator.range.start.column, text: operator.lexeme };
}

/** `!=` of things that are never equal is always true; every other comparison is always false. */
export function answerOf({ operator }: Binary): boolean {
  return operator.type === TokenType.BANG_EQUAL;
}
