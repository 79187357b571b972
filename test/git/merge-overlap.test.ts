/** What the names say of two branches against what git makes of them (spec 8.4). */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { mayConflict, touchedBy } from "../../src/engine/overlap.ts";
import { changesBetween, conflictsOf } from "../../src/git/merge.ts";
import { findRepository } from "../../src/git/repository.ts";
import { repoOf } from "./support.ts";

/** Numbers that are the same for the same seed. */
function randomOf(seed: number): (most: number) => number {
  let state = seed * 7919 + 1;
  return (most) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % most;
  };
}

const NAMES = ["a", "lib/b", "lib/c", "lib/deep/d", "src/e", "f"];

/** What an agent does to a few files. */
function work(root: string, random: (most: number) => number, who: string): void {
  const file = (): string => path.join(root, NAMES[random(NAMES.length)] ?? "a");
  const write = (at: string, text: string): void => {
    try {
      mkdirSync(path.dirname(at), { recursive: true });
      writeFileSync(at, text);
    } catch {
      // There is a file where a folder would be, or the other way round.
    }
  };
  for (let count = 1 + random(2); count > 0; count -= 1) {
    const kind = random(6);
    if (kind === 0) write(file(), `${who}\n${"line\n".repeat(9)}`);
    if (kind === 1) rmSync(file(), { force: true, recursive: true });
    if (kind === 2)
      write(path.join(root, ["lib", "src", "."][random(3)] ?? ".", `${who}.txt`), who);
    if (kind === 3) {
      try {
        renameSync(path.join(root, "lib"), path.join(root, `moved-${who}`));
      } catch {
        // It was moved before.
      }
    }
    if (kind === 4) {
      const at = file();
      rmSync(at, { force: true, recursive: true });
      write(path.join(at, who), who);
    }
    if (kind === 5) write(file(), `line\nline\n${who}\n${"line\n".repeat(7)}`);
  }
}

test("no branches conflict whose names say that they cannot, and the names tell some apart", async () => {
  const files = Object.fromEntries(NAMES.map((name) => [name, `${name}\n${"line\n".repeat(9)}`]));
  const repo = await repoOf(files);
  const base = await repo.git("rev-parse", "HEAD");
  const seen = { clean: 0, apart: 0, conflicts: 0 };
  for (let seed = 1; seed <= 25; seed += 1) {
    const random = randomOf(seed);
    for (const who of ["one", "two"]) {
      await repo.git("switch", "-q", "-C", who, base);
      work(repo.root, random, who);
      await repo.git("add", "-A");
      await repo.git("commit", "-q", "--allow-empty", "-m", who);
    }
    const start = await findRepository(repo.root, repo.env);
    const [one, two] = [
      touchedBy(await changesBetween(start, base, "one")),
      touchedBy(await changesBetween(start, base, "two")),
    ];
    const conflicts = await conflictsOf(start, "one", "two");
    const may = mayConflict(one, two);
    if (conflicts.length > 0) seen.conflicts += 1;
    else if (may) seen.clean += 1;
    else seen.apart += 1;
    if (conflicts.length > 0) expect(may, `seed ${seed}: ${conflicts.join(", ")}`).toBe(true);
  }
  expect(seen.conflicts).toBeGreaterThan(3);
  expect(seen.apart).toBeGreaterThan(3);
});
