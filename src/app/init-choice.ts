/** Which of the things that mmm ships were asked for by name. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";
import { nearest } from "../lib/nearest.ts";
import type { ShippedText } from "./shipped-texts.ts";

/** @throws MmmError exit 2: unknown names, with the nearest ones; or none at all */
export function chooseCommands(
  shipped: ReadonlyMap<string, ShippedText>,
  only: readonly string[] | null,
): readonly (readonly [string, ShippedText])[] {
  if (only === null) return [...shipped];
  const known = [...shipped.keys()];
  const asked = only.map((name) => name.trim()).filter((name) => name !== "");
  const names = asked.map((name) => fullName(name, shipped));
  const unknown = asked.filter((_, index) => !shipped.has(names[index] ?? ""));
  if (unknown.length > 0) {
    const own = (name: string): string => name.replace(/^mmm-/u, "");
    const hints = unknown.map((name) => {
      const near = nearest(own(fullName(name, shipped)), known.map(own));
      return JSON.stringify(name) + (near === null ? "" : ` (did you mean mmm-${near}?)`);
    });
    throw new MmmError("unknown-command", 2, {
      message: `mmm ships no command ${hints.join(", ")}`,
      next: ["mmm init --list"],
    });
  }
  if (names.length === 0) {
    throw new MmmError("no-command", 2, {
      message: "no command was named",
      next: ["mmm init --list", "mmm init"],
    });
  }
  return [...shipped].filter(([name]) => names.includes(name));
}

/** `/mmm-lint`, `mmm-lint.md` and `lint` are `mmm-lint`. */
function fullName(name: string, shipped: ReadonlyMap<string, ShippedText>): string {
  const bare = name.replace(/^\//u, "").replace(/\.md$/u, "");
  return shipped.has(bare) || bare.startsWith("mmm-") ? bare : `mmm-${bare}`;
}

export interface ShippedPlaybook {
  /** `tdd`. */
  readonly name: string;
  readonly text: string;
}

/** In the order of names. */
export async function shippedPlaybooks(packageRoot: string): Promise<readonly ShippedPlaybook[]> {
  const folder = path.join(packageRoot, "examples");
  const entries = await readdir(folder).catch((): string[] => []);
  const files = entries.filter((file) => /^[\w-]+\.yml$/u.test(file));
  const names = files.map((file) => file.slice(0, -".yml".length)).sort();
  return await Promise.all(
    names.map(async (name) => ({
      name,
      text: await readFile(path.join(folder, `${name}.yml`), "utf8"),
    })),
  );
}

/**
 * @param asked `tdd`, `tdd.yml` or `examples/tdd.yml`
 * @throws MmmError exit 2: mmm ships none of that name; with the nearest one
 */
export async function choosePlaybook(packageRoot: string, asked: string): Promise<ShippedPlaybook> {
  const shipped = await shippedPlaybooks(packageRoot);
  const name = asked.replace(/^examples\//u, "").replace(/\.ya?ml$/u, "");
  const found = shipped.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = shipped.map((each) => each.name);
  const near = nearest(name, names);
  throw new MmmError("unknown-playbook", 2, {
    message: `mmm ships no playbook ${JSON.stringify(asked)}`,
    next: [
      ...(near === null ? [] : [`did you mean ${near}?`]),
      ...(names.length > 0 ? [`mmm ships: ${names.join(", ")}`] : []),
    ],
  });
}
