/** Rollback in place (spec 5): nothing is lost, and the printed line brings back exactly what a failed step left. */
import { execFileSync } from "node:child_process";
import { chmodSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen;

const TOOLS = { "keep.sh": "k\n", "del.txt": "d\n", "a.txt": "a\n", "d/f": "f\n", file: "x\n" };

beforeEach(async () => {
  kitchen = await openKitchen(undefined, TOOLS);
  chmodSync(path.join(kitchen.repo.root, "keep.sh"), 0o755);
  symlinkSync("a.txt", path.join(kitchen.repo.root, "link"));
  await kitchen.repo.commitAll("tools");
});
afterEach(() => kitchen.dispose());

/** Each file with its mode and its bytes, each link with its target. */
function picture(folder: string): string {
  const list = String.raw`find . \( -name .git -o -name .mmm -o -name pb.yml \) -prune -o \( -type f -printf '%m %p ' -exec sha256sum '{}' ';' -o -type l -printf '%l %p\n' \) | sort`;
  return execFileSync("sh", ["-c", list], { cwd: folder, encoding: "utf8" });
}

test.each([
  [
    "modes, links, deletions, binary and odd names",
    "chmod -x keep.sh; chmod +x a.txt; rm del.txt; ln -sf del.txt link; echo n > 'n ew 🍳.sh'; chmod +x 'n ew 🍳.sh'; head -c 3000 /dev/urandom > b; git add a.txt",
  ],
  [
    "more files than fit a line",
    'for i in 1 2 3 4 5 6 7 8 9 10; do echo $i > "f $i"; done; rm keep.sh',
  ],
  ["a folder that became a file", "rm -r d; echo file > d"],
  [
    "a file that became a folder with a link in it",
    "rm file; mkdir file; ln -s ../a.txt file/l; printf 'no end' > file/x",
  ],
  [
    "commits of its own and what came after",
    "echo c > c.txt; git add c.txt; git commit -qm own; echo more >> c.txt; rm -r d",
  ],
])("%s", async (_, script) => {
  const { repo } = kitchen;
  const before = picture(repo.root);
  const head = await repo.git("rev-parse", "HEAD");
  const left = path.join(repo.base, "left");
  await repo.write("pb.yml", `- shell: |\n    ${script}\n    cp -a . ../left\n    exit 1\n`);

  const failed = await kitchen.mmm(["cook", "pb.yml", "-n", "1"]);

  expect(failed).toMatchObject({ code: 1 });
  expect(await repo.git("fsck", "--no-dangling", "--no-progress")).toBe("");
  expect(await repo.git("rev-parse", "HEAD")).toBe(head);
  expect(await repo.git("status", "--porcelain", "--", ":!pb.yml")).toBe("");
  expect(picture(repo.root)).toBe(before);
  const line = /^ *(git .*refs\/mmm\/failed\/.*)$/m.exec(failed.stdout)?.[1] ?? "false";
  execFileSync("sh", ["-ec", line], { cwd: repo.root, env: repo.env });
  expect(picture(repo.root)).toBe(picture(left));
});
