/** The `mmm:` block in the frontmatter of a Claude command file (spec 9.2). */
import { parse } from "yaml";

export interface CommandRules {
  /** `null`: not said; the step's form decides. */
  readonly commit: "required" | "optional" | null;
  readonly produces: "spec" | null;
  readonly consumes: "spec" | null;
}

const allowed: Readonly<Record<keyof CommandRules, readonly string[]>> = {
  commit: ["required", "optional"],
  produces: ["spec"],
  consumes: ["spec"],
};

/**
 * What a command file says about itself.
 *
 * `rules` is `null` when the file has no `mmm:` block, or a wrong one; `problems` then name key and value. A
 * frontmatter that is no YAML is no problem of ours: Claude ignores it, and so does mmm.
 */
export function readCommandRules(text: string): {
  readonly rules: CommandRules | null;
  readonly problems: readonly string[];
} {
  const block = mmmBlock(text);
  if (block === undefined) return { rules: null, problems: [] };
  if (typeof block !== "object" || block === null || Array.isArray(block)) {
    return { rules: null, problems: ["`mmm` is a mapping of commit, produces, consumes"] };
  }
  const problems: string[] = [];
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(block)) {
    const words = Object.hasOwn(allowed, key) ? allowed[key as keyof CommandRules] : undefined;
    if (words === undefined) problems.push(`unknown key \`mmm.${key}\``);
    else if (typeof value !== "string" || !words.includes(value)) {
      problems.push(`\`mmm.${key}\` is ${words.join(" or ")}, not ${JSON.stringify(value)}`);
    } else found.set(key, value);
  }
  if (problems.length > 0) return { rules: null, problems };
  const commit = found.get("commit");
  return {
    rules: {
      commit: commit === "required" || commit === "optional" ? commit : null,
      produces: found.has("produces") ? "spec" : null,
      consumes: found.has("consumes") ? "spec" : null,
    },
    problems: [],
  };
}

/** `undefined`: there is none. */
function mmmBlock(text: string): unknown {
  const lines = text.replace(/^\uFEFF/u, "").split(/\r?\n/u);
  if (lines[0]?.trimEnd() !== "---") return undefined;
  const end = lines.findIndex((line, index) => index > 0 && line.trimEnd() === "---");
  if (end === -1) return undefined;
  try {
    const front: unknown = parse(lines.slice(1, end).join("\n"), { logLevel: "error" });
    const isMapping = typeof front === "object" && front !== null && Object.hasOwn(front, "mmm");
    return isMapping ? (front as { readonly mmm: unknown }).mmm : undefined;
  } catch {
    // broken YAML, or an alias bomb: Claude passes over such frontmatter
    return undefined;
  }
}
