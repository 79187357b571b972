import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  type ParsedNode,
  type Scalar,
} from "yaml";
import type { Range } from "./diagnostic.ts";
import type { SourceText } from "./model.ts";
import { didYouMean, type Problems } from "./problems.ts";
import { scalarText } from "./source-text.ts";
import type { Entry, ListTree, MappingTree, ScalarTree, Tree } from "./tree.ts";

/** Nodes that aliases may stand for, all together; a bomb wants billions. */
const MAX_ALIASED = 10_000;

interface Context {
  readonly problems: Problems;
  /** First items of lists that begin there, which are trees already. */
  readonly taken: ReadonlyMap<number, readonly Tree[]>;
}

interface Building extends Context {
  readonly text: string;
  /** As in YAML: an alias means the latest anchor of its name before it. */
  readonly anchors: Map<string, Tree>;
  readonly open: Set<string>;
  aliased: number;
}

/** YAML nodes to a {@link Tree}. The caller bounds the depth. */
export function buildTree(node: ParsedNode, text: string, context: Context): Tree {
  return build(node, { text, ...context, anchors: new Map(), open: new Set(), aliased: 0 });
}

function build(node: ParsedNode, state: Building): Tree {
  const range = rangeOf(node, state.text);
  if (isAlias(node)) return resolve(node.source, range, state);
  const anchor = node.anchor;
  if (anchor !== undefined) state.open.add(anchor);
  const tree = buildOwn(node, range, state);
  if (anchor !== undefined) {
    state.open.delete(anchor);
    state.anchors.set(anchor, tree);
  }
  return tree;
}

function buildOwn(node: ParsedNode, range: Range, state: Building): Tree {
  if (isMap(node)) return buildMapping(node.items, range, state);
  if (isSeq(node)) {
    const rest = node.items.map((item) =>
      isPair(item) ? buildMapping([item], range, state) : buildItem(item, state),
    );
    const taken = state.taken.get(node.range[0]);
    const items = taken === undefined ? rest : [...taken, ...rest];
    return { kind: "list", items, range, size: sizeOf(items) } satisfies ListTree;
  }
  return buildScalar(node as Scalar.Parsed, range, state);
}

/** An item that is not there stands at its dash. */
function buildItem(node: ParsedNode, state: Building): Tree {
  const tree = build(node, state);
  if (tree.range.end > tree.range.start) return tree;
  const dash = Math.max(0, state.text.lastIndexOf("-", tree.range.start));
  return placed(null, { start: dash, end: dash + 1 }, state);
}

function buildScalar(node: Scalar.Parsed, range: Range, state: Building): ScalarTree {
  const { value: decoded, source } = node;
  const value = isPlain(decoded) ? decoded : (source ?? "");
  const written =
    typeof value === "string" ? value : value === null ? "" : (source ?? String(value));
  const text = scalarText({ file: state.text, value: written, range, type: node.type });
  if (written.includes("\0") || !written.isWellFormed()) {
    const message = "a text with a NUL or half a character, which no program can be given";
    state.problems.error("bad-text", range, message, { help: "remove the escape" });
  }
  return { kind: "scalar", value, text, range, size: 1 };
}

function isPlain(value: unknown): value is string | number | boolean | null {
  if (value === null) return true;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function buildMapping(pairs: readonly Pair[], range: Range, state: Building): MappingTree {
  const entries = new Map<string, Entry>();
  for (const pair of pairs) {
    const key = keyOf(pair.key as ParsedNode | null, range, state);
    const built = pair.value === null ? null : build(pair.value as ParsedNode, state);
    if (key === null) continue;
    const other = entries.get(key.value);
    if (other === undefined) {
      entries.set(key.value, { key, value: placed(built, key.range, state) });
      continue;
    }
    state.problems.error("duplicate-key", key.range, `\`${key.value}\` is written twice here`, {
      help: "keep one of the two",
      related: { message: "the first one is here", range: other.key.range },
    });
  }
  let size = 1;
  for (const { value } of entries.values()) size += value.size;
  return { kind: "mapping", entries, range, size };
}

/** A value that is not there (`key:` and no more) stands at its key. */
function placed(tree: Tree | null, keyRange: Range, state: Building): Tree {
  if (tree !== null && tree.range.end > tree.range.start) return tree;
  const text = scalarText({ file: state.text, value: "", range: keyRange, type: undefined });
  return { kind: "scalar", value: null, text, range: keyRange, size: 1 };
}

function keyOf(node: ParsedNode | null, around: Range, state: Building): SourceText | null {
  const { problems, text } = state;
  if (node === null || !isScalar(node)) {
    const range = node === null ? around : rangeOf(node, text);
    const help = isMap(node)
      ? "put `{{ }}` and other text with brackets in quotes"
      : "write a name";
    problems.error("bad-key", range, "a key that is not a text", { help });
    return null;
  }
  const range = rangeOf(node, text);
  const { text: key, value } = buildScalar(node, range, state);
  if (key.value === "<<") {
    const help = "write the keys out, use an alias for a whole value, or `defaults` for every step";
    problems.error("merge-key", range, "`<<` is not part of YAML 1.2", { help });
    return null;
  }
  if (key.value === "__proto__") {
    problems.error("forbidden-key", range, "`__proto__` is not a key", { help: "remove it" });
    return null;
  }
  if (typeof value !== "string" && typeof value !== "number") {
    const what = value === null ? "an empty key" : `the key \`${key.value}\` is not a text`;
    problems.error("bad-key", range, what, { help: "write a name, or put it in quotes" });
    return null;
  }
  return key;
}

function resolve(name: string, range: Range, state: Building): Tree {
  const { anchors, open, problems } = state;
  const tree = anchors.get(name);
  const nothing: Tree = {
    kind: "scalar",
    value: null,
    text: scalarText({ file: state.text, value: "", range, type: undefined }),
    range,
    size: 1,
  };
  if (open.has(name)) {
    problems.error("alias-loop", range, `\`*${name}\` stands inside what it means`);
    problems.spoil(range);
    return nothing;
  }
  if (tree === undefined) {
    const message = `\`*${name}\` means nothing: no \`&${name}\` stands before it`;
    const near = didYouMean(name, anchors.keys());
    problems.error("unknown-alias", range, message, {
      help: near.help ?? "put a text that starts with `*` in quotes",
    });
    problems.spoil(range);
    return nothing;
  }
  const before = state.aliased;
  state.aliased += tree.size;
  if (state.aliased <= MAX_ALIASED) return tree;
  if (before <= MAX_ALIASED) {
    const message = `aliases stand for more than ${MAX_ALIASED} values`;
    problems.error("alias-bomb", range, message, { help: "write the values out" });
  }
  problems.spoil(range);
  return nothing;
}

function sizeOf(trees: readonly Tree[]): number {
  return trees.reduce((sum, { size }) => sum + size, 1);
}

/** White space and line ends after a node are not its own. */
function rangeOf(node: ParsedNode, text: string): Range {
  const [start, valueEnd] = node.range;
  let end = Math.min(valueEnd, text.length);
  while (end > start && /\s/.test(text[end - 1] ?? "")) end -= 1;
  return { start: Math.min(start, text.length), end };
}
