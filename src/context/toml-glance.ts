/**
 * Just enough of TOML to look at a manifest: tables, `key = "text"` and `key = ["list", "of", "texts"]`.
 *
 * Anything else is passed over in silence; a manifest that is wrong is its own tool's business.
 */
export interface TomlGlance {
  /** `package`, `tool.ruff.lint`, `[[bin]]` as `bin`; in order. */
  readonly tables: readonly string[];
  /** `table.key` to its text; keys before the first table stand alone. */
  readonly texts: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/** Linear in the text. */
export function glanceAtToml(source: string): TomlGlance {
  const tables: string[] = [];
  const texts = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  let table = "";
  let open: { key: string; items: string[] } | null = null;
  for (const raw of source.split("\n")) {
    const line = raw.trim();
    if (open !== null) {
      open.items.push(...quoted(line));
      if (closesList(line)) {
        lists.set(open.key, open.items);
        open = null;
      }
      continue;
    }
    if (line.startsWith("[")) {
      table = line.replace(/^\[+/u, "").split("]")[0]?.trim() ?? "";
      tables.push(table);
      continue;
    }
    const equals = line.indexOf("=");
    if (equals <= 0 || line.startsWith("#")) continue;
    const key = qualified(table, line.slice(0, equals).trim());
    const value = line.slice(equals + 1).trim();
    if (value.startsWith("[")) {
      const items = [...quoted(value)];
      if (closesList(value)) lists.set(key, items);
      else open = { key, items };
    } else {
      texts.set(key, quoted(value)[0] ?? value);
    }
  }
  return { tables, texts, lists };
}

function qualified(table: string, key: string): string {
  const bare = key.replaceAll(/["']/gu, "");
  return table === "" ? bare : `${table}.${bare}`;
}

function quoted(text: string): readonly string[] {
  const found = text.startsWith("#") ? [] : [...text.matchAll(/"([^"]*)"|'([^']*)'/gu)];
  return found.map((match) => match[1] ?? match[2] ?? "");
}

/** A `]` outside of quotes: the list ends on this line. */
function closesList(line: string): boolean {
  return line
    .replaceAll(/"[^"]*"|'[^']*'/gu, "")
    .replace(/#.*$/u, "")
    .includes("]");
}
