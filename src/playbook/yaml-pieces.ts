import type { CST, Parser } from "yaml";
import { buildTree } from "./build-tree.ts";
import type { Problems } from "./problems.ts";
import type { Tree } from "./tree.ts";
import { firstDocument } from "./yaml-document.ts";

/**
 * A long list at the top of a document, such as that of the steps, made into trees while it is read. The YAML library
 * would keep its tokens until the end of the file and its nodes until all of them are made: 120 MB for 10 000 steps,
 * which the collector of garbage moves about for a third of the time.
 *
 * The library's own parser and composer do it all; an item that is complete is but taken out of the list before the
 * rest is composed. This is the same as long as no item means anything to what stands outside of it: with an anchor, an
 * alias, a tag, a directive or anything wrong, {@link areSound} ends, and the file is to be read whole.
 */
export class Pieces {
  /** Trees of the items taken out, by the place where their list begins. */
  readonly taken = new Map<number, Tree[]>();
  readonly #text: string;
  readonly #size: number;
  readonly #problems: Problems;
  #areSound = true;

  /** @param size how many items are made at once */
  constructor(text: string, size: number, problems: Problems) {
    this.#text = text;
    this.#size = size;
    this.#problems = problems;
  }

  get areSound(): boolean {
    return this.#areSound;
  }

  /** Asked after each lexeme that the parser has taken in. */
  take(lexeme: string, { stack }: Parser): void {
    const first = lexeme[0];
    if (first === "&" || first === "*" || first === "!" || first === "%") this.#areSound = false;
    if (lexeme !== "-") return;
    const list = listAtTop(stack);
    // The last one begins here: those before it are complete.
    if (list === null || list.items.length <= this.#size) return;
    this.#areSound &&= this.#compose(list, list.items.splice(0, list.items.length - 1));
  }

  #compose({ offset, indent }: CST.BlockSequence, items: CST.BlockSequence["items"]): boolean {
    const value: CST.BlockSequence = { type: "block-seq", offset, indent, items };
    const token: CST.Document = { type: "document", offset, start: [], value };
    const what = { problems: this.#problems, what: "playbook" } as const;
    const document = firstDocument([token], this.#text, what);
    if (document === null || document.contents === null) return false;
    if (document.errors.length > 0 || document.warnings.length > 0) return false;
    const context = { problems: this.#problems, taken: new Map() };
    const tree = buildTree(document.contents, this.#text, context);
    if (tree.kind !== "list" || !this.#problems.areNone) return false;
    const taken = this.taken.get(offset);
    if (taken === undefined) this.taken.set(offset, [...tree.items]);
    else taken.push(...tree.items);
    return true;
  }
}

/** The list that the parser is in, when it is the document itself or the value of one of its keys. */
function listAtTop(stack: readonly CST.Token[]): CST.BlockSequence | null {
  const list = stack.at(-1);
  if (list?.type !== "block-seq" || stack[0]?.type !== "document") return null;
  if (stack.length === 2) return list;
  const around = stack[1];
  if (stack.length !== 3 || around?.type !== "block-map") return null;
  const isValue = around.items.at(-1)?.sep !== undefined;
  return isValue ? list : null;
}
