/** A tag as it stands; `/name` for a closing one. */
export interface XmlTag {
  readonly name: string;
  /** With the five entities of XML itself decoded, and no others: a report has no business with entities. */
  readonly attributes: () => ReadonlyMap<string, string>;
}

/**
 * The tags of an XML text in order, comments, CDATA and declarations left out. No tree is built and nothing
 * is expanded or fetched; what is not well-formed ends the walk.
 */
export function* tagsOf(text: string): Generator<XmlTag> {
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at)) {
    const skipped = skip(text, at);
    if (skipped === -1) return;
    if (skipped > at) {
      at = skipped;
      continue;
    }
    const end = tagEnd(text, at + 1);
    if (end === -1) return;
    const tag = text.slice(at + 1, end);
    at = end + 1;
    yield {
      name: /^\/?[\w:.-]*/.exec(tag)?.[0] ?? "",
      attributes: () => attributesOf(tag),
    };
  }
}

const ASIDES = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
] as const;

/** Behind what is no tag; `from` for a tag, -1 when it never ends. */
function skip(text: string, from: number): number {
  for (const [open, close] of ASIDES) {
    if (!text.startsWith(open, from)) continue;
    const end = text.indexOf(close, from + open.length);
    return end === -1 ? -1 : end + close.length;
  }
  if (!text.startsWith("<!", from)) return from;
  // <!DOCTYPE coverage SYSTEM "..." [ ... ]>: nothing in it is looked at.
  const end = tagEnd(text, from + 2);
  if (end === -1) return -1;
  // Looked for in the tag alone: a text of many such tags must stay linear.
  const subset = text.slice(from, end).indexOf("[");
  if (subset === -1) return end + 1;
  const close = text.indexOf("]", from + subset);
  const last = close === -1 ? -1 : text.indexOf(">", close);
  return last === -1 ? -1 : last + 1;
}

/** The `>` outside of quotes. */
function tagEnd(text: string, from: number): number {
  let quote = "";
  for (let at = from; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === '"' || char === "'") quote = char;
    else if (char === ">") return at;
  }
  return -1;
}

function attributesOf(tag: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", double, single] of tag.matchAll(
    /\s([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g,
  ))
    found.set(name, decoded(double ?? single ?? ""));
  return found;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&amp;", "&"],
  ["&quot;", '"'],
  ["&apos;", "'"],
]);

function decoded(text: string): string {
  return text.replaceAll(/&\w{2,4};/g, (entity) => ENTITIES.get(entity) ?? entity);
}
