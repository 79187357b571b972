import { chmod, lstat, readlink, rm, symlink, utimes, writeFile, rename } from "node:fs/promises";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commitOf, repoOf, treeOf } from "./support.ts";

const odd = [
  "with space.txt",
  "-rf",
  ":(glob)*",
  ":!README.md",
  "*.md",
  'quote".txt',
  "it's",
  "new\nline",
  "tab\tin",
  "back\\slash",
  "$(touch x)",
  "umlaut-ä-NFC",
  "umlaut-a\u0308-NFD",
  "日本語/文件.txt",
  "..dots/..x",
  "# comment",
  " leading",
  "trailing ",
  "a->b",
  "[x]/{y}",
];

async function clean(repo: { git(...args: string[]): Promise<string> }): Promise<string> {
  return await repo.git("status", "--porcelain", "--untracked-files=all");
}

describe("look", () => {
  it("sees nothing in a clean tree", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);

    expect(await tree.look()).toEqual({
      head: await repo.git("rev-parse", "HEAD"),
      branch: "main",
      changes: [],
    });
  });

  it("tells added, modified and deleted apart, staged or not, and leaves ignored files out", async () => {
    const repo = await repoOf({ a: "1", b: "1", c: "1", ".gitignore": "ignored/\n" });
    const tree = await treeOf(repo);

    await repo.write("a", "2");
    await rm(join(repo.root, "b"));
    await repo.write("new/x", "1");
    await repo.write("staged", "1");
    await repo.git("add", "staged");
    await repo.git("rm", "--cached", "--quiet", "c");
    await repo.write("ignored/x", "1");

    const { changes } = await tree.look();
    expect([...changes].sort((x, y) => (x.path < y.path ? -1 : 1))).toEqual([
      { path: "a", kind: "modified" },
      { path: "b", kind: "deleted" },
      { path: "c", kind: "modified" },
      { path: "new/x", kind: "added" },
      { path: "staged", kind: "added" },
    ]);
  });

  it("reads every kind of name as it is", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);

    for (const name of odd) await repo.write(name, "x");

    const { changes } = await tree.look();
    expect(changes.map((change) => change.path).sort()).toEqual([...odd].sort());
  });

  it("is not misled by the user's config", async () => {
    const repo = await repoOf({ a: "1", "ä b": "1" });
    for (const [key, value] of [
      ["status.showUntrackedFiles", "no"],
      ["status.short", "true"],
      ["status.showStash", "true"],
      ["status.relativePaths", "true"],
      ["core.quotePath", "true"],
      ["color.ui", "always"],
      ["diff.noprefix", "true"],
      ["diff.renames", "copies"],
      ["core.fsmonitor", "/nonexistent/fsmonitor"],
      ["log.showSignature", "true"],
      ["commit.template", "/nonexistent"],
      ["commit.cleanup", "scissors"],
      ["commit.verbose", "true"],
    ] as const)
      await repo.git("config", key, value);
    const tree = await treeOf(repo);
    const start = await tree.mark(await tree.look());

    await repo.write("ä b", "2");
    await repo.write("sub/neu ö", "1");

    const { changes } = await tree.look();
    expect(changes).toEqual([
      { path: "ä b", kind: "modified" },
      { path: "sub/neu ö", kind: "added" },
    ]);
    expect(await commitOf(tree)).toMatchObject({ kind: "committed", subject: "step" });
    const to = await tree.look();
    expect(await tree.commitsBetween(start.head, to.head)).toEqual([
      { sha: to.head, subject: "step" },
    ]);
  });

  it("ignores GIT_DIR, GIT_INDEX_FILE and the like of the surroundings", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo, {
      env: {
        GIT_DIR: "/nonexistent",
        GIT_WORK_TREE: "/",
        GIT_INDEX_FILE: "/nonexistent",
        GIT_EDITOR: "false",
        EDITOR: "false",
        PAGER: "false",
        GIT_GLOB_PATHSPECS: "1",
        GIT_SSH_COMMAND: "false",
        SSH_ASKPASS: "false",
        GIT_ASKPASS: "false",
        GIT_PAGER: "false",
        VISUAL: "false",
        PREFIX: "/usr",
        GIT_TEMPLATE_DIR: "/nonexistent",
        GIT_EXTERNAL_DIFF: "false",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "core.editor",
        GIT_CONFIG_VALUE_0: "false",
        GIT_CONFIG_GLOBAL: join(repo.home, ".gitconfig"),
      },
    });
    await repo.write("*", "x");

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
  });

  it("stays in its repository when a step removes .git inside another repository", async () => {
    const outer = await repoOf({ x: "1" });
    await outer.git("init", "--quiet", "inner");
    await outer.write("inner/a", "1");
    await outer.gitIn("inner", "add", "-A");
    await outer.gitIn("inner", "commit", "--quiet", "-m", "inner");
    const tree = await treeOf(outer, { cwd: join(outer.root, "inner") });
    await rm(join(outer.root, "inner/.git"), { recursive: true });

    await expect(tree.look()).rejects.toMatchObject({ code: "git-failed", exitCode: 3 });
  });
});

describe("what never counts as dirt (spec 5)", () => {
  it("leaves playbook, .mmm and .claude out while no step changes them, and keeps them out of commits", async () => {
    const repo = await repoOf();
    await repo.write("play.yml", "- x");
    await repo.write(".claude/commands/a.md", "a");
    await repo.write(".mmm/PROJECT.md", "p");
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });

    expect((await tree.look()).changes).toEqual([]);
    await repo.write("work", "1");
    await repo.git("add", "-A"); // a step stages everything, but does not commit
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });

    expect(await repo.git("show", "--name-only", "--format=", "HEAD")).toBe("work");
    expect(await repo.git("diff", "--cached", "--name-only")).toBe(
      ".claude/commands/a.md\n.mmm/PROJECT.md\nplay.yml",
    );
  });

  it("counts a protected file as soon as a step changes it, and a new one under .claude or .mmm", async () => {
    const repo = await repoOf();
    await repo.write("play.yml", "- x");
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });

    await repo.write("play.yml", "- y");
    await repo.write(".claude/new.md", "1");
    await repo.write(".mmm/ARCHITECTURE.md", "1");
    await repo.write(".mmm/state.json", "{}");
    await repo.write(".mmm/sessions/s/journal.jsonl", "{}");

    expect((await tree.look()).changes.map((change) => change.path).sort()).toEqual([
      ".claude/new.md",
      ".mmm/ARCHITECTURE.md",
      "play.yml",
    ]);
  });

  it("does not take a touched or rewritten file with the same content for a change", async () => {
    const repo = await repoOf();
    await repo.write("play.yml", "- x");
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });

    await repo.write("other", "- x");
    await rename(join(repo.root, "other"), join(repo.root, "play.yml"));
    await utimes(join(repo.root, "play.yml"), 1, 1);

    expect((await tree.look()).changes).toEqual([]);
  });

  it("sees a change that keeps size and time", async () => {
    const repo = await repoOf();
    await repo.write("play.yml", "- x");
    await utimes(join(repo.root, "play.yml"), 1000, 1000);
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });

    await repo.write("other", "- y");
    await utimes(join(repo.root, "other"), 1000, 1000);
    await rename(join(repo.root, "other"), join(repo.root, "play.yml"));

    expect((await tree.look()).changes).toEqual([{ path: "play.yml", kind: "added" }]);
  });

  it("treats with --allow-dirty every dirty file like that: modified, staged, deleted, untracked", async () => {
    const repo = await repoOf({ m: "1", s: "1", d: "1", other: "1" });
    await repo.write("m", "2");
    await repo.write("s", "2");
    await repo.git("add", "s");
    await rm(join(repo.root, "d"));
    await repo.write("u", "1");
    const before = await clean(repo);
    const tree = await treeOf(repo, { allowDirty: true });
    const point = await tree.mark(await tree.look());
    expect((await tree.look()).changes).toEqual([]);

    await repo.write("other", "2");
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect(await repo.git("show", "--name-only", "--format=", "HEAD")).toBe("other");
    expect(await clean(repo)).toBe(before);

    await repo.write("other", "3");
    await repo.write("new", "3");
    await repo.write("u", "changed by the step");
    await repo.write("m", "changed by the step");
    await tree.keepFailed();
    await tree.rollback(point);
    expect(await clean(repo)).toBe(before);
    expect(await repo.read("other")).toBe("1");
    expect(await repo.read("u")).toBe("1");
    expect(await repo.read("m")).toBe("2");
    expect((await tree.look()).changes).toEqual([]);
  });

  it("takes a protected file that a step changed as an ordinary one once it is committed", async () => {
    const repo = await repoOf();
    await repo.write("play.yml", "- x");
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });
    await repo.write("play.yml", "- y");
    await commitOf(tree);

    await repo.write("play.yml", "- x");

    expect((await tree.look()).changes).toEqual([{ path: "play.yml", kind: "modified" }]);
  });

  it("brings a protected, untracked file back that a step removed", async () => {
    const repo = await repoOf();
    await repo.write("play.yml", "- x");
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });
    const point = await tree.mark(await tree.look());
    await rm(join(repo.root, "play.yml"));
    await tree.look();

    await tree.rollback(point);

    expect(await repo.read("play.yml")).toBe("- x");
    expect((await tree.look()).changes).toEqual([]);
  });

  it("sees a clean step with one git process, protected files or not, and marks it with none", async () => {
    const repo = await repoOf();
    await repo.write("play.yml", "- x");
    const counted = await countGit(repo);
    const tree = await treeOf(repo, {
      ownFiles: [join(repo.root, "play.yml")],
      env: { PATH: counted.path },
    });
    const point = await tree.mark(await tree.look());
    await counted.calls();

    const look = await tree.look();
    expect(await tree.mark(look)).toEqual(point);
    expect(await tree.movement(point, look)).toBe("same");
    expect(await tree.sameTree(point, look)).toBe(true);
    expect(await tree.commitsBetween(point.head, look.head)).toEqual([]);

    expect(await counted.calls()).toEqual(["status"]);
  });
});

/** A `git` on PATH that writes down what it was asked. */
async function countGit(repo: Repo): Promise<{ path: string; calls(): Promise<string[]> }> {
  const real = await new Promise<string>((done) => {
    execFile("sh", ["-c", "command -v git"], { env: repo.env }, (_, out) => done(out.trim()));
  });
  const file = join(repo.base, "calls");
  await repo.writeProgram(
    join(repo.base, "bin/git"),
    `#!/bin/sh\nfor a; do case $a in -c) ;; *=*) ;; *) echo "$a" >>'${file}'; break;; esac; done\nexec '${real}' "$@"\n`,
  );
  return {
    path: `${repo.base}/bin:${repo.env["PATH"]}`,
    async calls() {
      const text = await repo.read(file).catch(() => "");
      await rm(file, { force: true });
      return text.split("\n").filter((line) => line !== "");
    },
  };
}

describe("movement and history", () => {
  it("knows same, forward, backward and sideways", async () => {
    const repo = await repoOf();
    const first = await repo.git("rev-parse", "HEAD");
    await repo.commitAll("second");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());

    expect(await tree.movement(point, await tree.look())).toBe("same");
    await repo.commitAll("third");
    expect(await tree.movement(point, await tree.look())).toBe("forward");
    await repo.git("reset", "--hard", "--quiet", first);
    expect(await tree.movement(point, await tree.look())).toBe("backward");
    await repo.commitAll("elsewhere");
    expect(await tree.movement(point, await tree.look())).toBe("sideways");
    await repo.git("reset", "--hard", "--quiet", point.head);
    await repo.git("checkout", "--quiet", "-b", "other");
    expect(await tree.movement(point, await tree.look())).toBe("sideways");
    await repo.git("checkout", "--quiet", "--detach");
    expect(await tree.movement(point, await tree.look())).toBe("sideways");
    await repo.git("checkout", "--quiet", "--orphan", "bare-new");
    expect(await tree.movement(point, await tree.look())).toBe("sideways");
  });

  it("lists commits oldest first, whatever their subjects hold", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    const from = (await tree.look()).head;
    const subjects = ["one", "-m two: ä \u001b[31m", "#three", "four  spaces"];
    for (const subject of subjects)
      await repo.git("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "-m", subject);

    const commits = await tree.commitsBetween(from, (await tree.look()).head);

    expect(commits.map((commit) => commit.subject)).toEqual(subjects);
  });

  it("names the files that changed since a point, committed or not, newest first (spec 3.3)", async () => {
    const repo = await repoOf({ old: "1", gone: "1", ".gitignore": "*.log\n" });
    await repo.write("play.yml", "- x");
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });
    const point = await tree.mark(await tree.look());
    await repo.write("specs/committed.md", "1");
    await repo.git("add", "specs");
    await repo.git("commit", "--quiet", "-m", "by the step");
    for (const name of odd) await repo.write(`odd/${name}`, "1");
    await repo.write("old", "2");
    await rm(join(repo.root, "gone"));
    await repo.write("x.log", "1");
    for (const name of odd) await utimes(join(repo.root, "odd", name), 2000, 2000);
    await utimes(join(repo.root, "specs/committed.md"), 4000, 4000);
    await utimes(join(repo.root, "old"), 3000, 3000);

    const files = await tree.filesSince(point, await tree.look());

    expect(files).toEqual([
      { path: "specs/committed.md", status: "added" },
      { path: "old", status: "modified" },
      ...odd
        .map((name) => `odd/${name}`)
        .sort()
        .map((path) => ({ path, status: "added" })),
      { path: "gone", status: "deleted" },
    ]);
  });

  it("compares against a dirty start, not against its HEAD", async () => {
    const repo = await repoOf({ a: "1", b: "1" });
    const tree = await treeOf(repo);
    await repo.write("a", "2");
    await repo.write("new", "1");
    const point = await tree.mark(await tree.look());
    expect(point.tree).not.toBeNull();
    expect(await tree.filesSince(point, await tree.look())).toEqual([]);
    expect(await tree.sameTree(point, await tree.look())).toBe(true);

    await repo.commitAll("the same files, committed");
    expect(await tree.filesSince(point, await tree.look())).toEqual([]);
    expect(await tree.sameTree(point, await tree.look())).toBe(true);
    await repo.write("b", "2");
    expect(await tree.filesSince(point, await tree.look())).toEqual([
      { path: "b", status: "modified" },
    ]);
    expect(await tree.sameTree(point, await tree.look())).toBe(false);
  });

  it("leaves mmm's own state out, also when a step committed it by force", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write(".mmm/state.json", "{}");
    await repo.write(".mmm/sessions/s/journal.jsonl", "{}");
    await repo.write("a", "1");
    await repo.git("add", "--force", ".mmm", "a");
    await repo.git("commit", "--quiet", "-m", "all of it");

    expect(await tree.filesSince(point, await tree.look())).toEqual([
      { path: "a", status: "added" },
    ]);
  });

  it("leaves a protected file out even against a point without a tree", async () => {
    const repo = await repoOf();
    await repo.write("play.yml", "- x");
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });
    const look = await tree.look();
    const bare = { head: look.head, branch: look.branch, tree: null };

    expect(await tree.filesSince(bare, await tree.look())).toEqual([]);
    expect(await tree.sameTree(bare, look)).toBe(true);
    await tree.rollback(bare);
    expect(await repo.read("play.yml")).toBe("- x");
  });
});

describe("keepFailed and rollback", () => {
  it("keeps the whole working tree with HEAD as parent, numbered, untracked in and ignored out", async () => {
    const repo = await repoOf({ a: "1", b: "1", ".gitignore": "*.log\n" });
    const tree = await treeOf(repo);
    await repo.write("a", "2");
    await rm(join(repo.root, "b"));
    for (const name of odd) await repo.write(`n/${name}`, name);
    await repo.write("x.log", "1");
    const index = await repo.git("ls-files", "--stage");

    expect(await tree.keepFailed()).toBe("refs/mmm/failed/s-1/1");
    expect(await tree.keepFailed()).toBe("refs/mmm/failed/s-1/2");

    expect(await repo.git("rev-parse", "refs/mmm/failed/s-1/1^")).toBe(
      await repo.git("rev-parse", "HEAD"),
    );
    const names = (await repo.git("ls-tree", "-r", "-z", "--name-only", "refs/mmm/failed/s-1/1"))
      .split("\0")
      .filter((name) => name !== "");
    expect(names.sort()).toEqual([".gitignore", "a", ...odd.map((name) => `n/${name}`)].sort());
    expect(await repo.git("show", "refs/mmm/failed/s-1/1:a")).toBe("2");
    expect(await repo.git("ls-files", "--stage")).toBe(index);
  });

  it("keeps a change that has the size and the second of what was committed", async () => {
    const repo = await repoOf({ a: "0" });
    const tree = await treeOf(repo);
    for (let round = 1; round <= 5; round += 1) {
      await repo.write("a", String(round));
      await commitOf(tree);
      await repo.write("a", "x");
      const ref = await tree.keepFailed();
      expect(await repo.git("show", `${ref}:a`)).toBe("x");
    }
  });

  it("goes back: files, modes, links, folders, names; ignored files stay; and the kept ref brings it back", async () => {
    const files = {
      a: "1",
      run: "#!",
      "dir/f": "1",
      "dir/g": "1",
      file: "1",
      ".gitignore": "*.log\n",
    };
    const repo = await repoOf(files);
    await symlink("a", join(repo.root, "link"));
    await repo.commitAll("link");
    await repo.write("keep.log", "ignored");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write("a", "committed by the step");
    await repo.git("commit", "--quiet", "-am", "by the step");
    await chmod(join(repo.root, "run"), 0o755);
    await rm(join(repo.root, "link"));
    await symlink("/nonexistent", join(repo.root, "link"));
    await symlink("/tmp", join(repo.root, "folder link"));
    await rm(join(repo.root, "dir"), { recursive: true });
    await symlink("/", join(repo.root, "dir"));
    await rm(join(repo.root, "file"));
    await repo.write("file/now/folder", "1");
    for (const name of odd) await repo.write(`new/${name}`, "1");
    await repo.git("add", "a", "run");
    const ref = await tree.keepFailed();

    await tree.rollback(point);

    expect(await clean(repo)).toBe("");
    expect(await repo.git("rev-parse", "HEAD")).toBe(point.head);
    expect(await repo.read("a")).toBe("1");
    expect((await lstat(join(repo.root, "run"))).mode & 0o111).toBe(0);
    expect(await readlink(join(repo.root, "link"))).toBe("a");
    expect(await repo.read("dir/f")).toBe("1");
    expect(await repo.read("file")).toBe("1");
    expect(await repo.read("keep.log")).toBe("ignored");
    expect(existsSync(join(repo.root, "new"))).toBe(false);
    expect(existsSync("/tmp")).toBe(true);
    await repo.git("restore", `--source=${ref}`, "--", ".");
    expect(await readlink(join(repo.root, "dir"))).toBe("/");
    expect(await repo.read("file/now/folder")).toBe("1");
    expect(await repo.read("new/-rf")).toBe("1");
  });

  it("restores a dirty start exactly", async () => {
    const repo = await repoOf({ a: "1", b: "1" });
    const tree = await treeOf(repo);
    await repo.write("a", "2");
    await rm(join(repo.root, "b"));
    await repo.write("new", "1");
    const point = await tree.mark(await tree.look());
    await repo.write("a", "3");
    await repo.write("b", "3");
    await repo.write("new", "3");
    await repo.write("newer", "3");

    await tree.rollback(point);

    expect(await clean(repo)).toBe(" M a\n D b\n?? new");
    expect(await repo.read("a")).toBe("2");
    expect(await repo.read("new")).toBe("1");
  });

  it("touches no file that does not differ", async () => {
    const repo = await repoOf({ a: "1", b: "1" });
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write("a", "2");
    const before = await lstat(join(repo.root, "b"), { bigint: true });

    await tree.rollback(point);

    const after = await lstat(join(repo.root, "b"), { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  it("goes back to the branch when the step switched it, and keeps what it committed there before", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write("x", "1");
    const onMain = await repo.commitAll("on main");
    await repo.git("checkout", "--quiet", "--orphan", "fresh");
    await repo.write("y", "1");
    await repo.commitAll("unrelated");
    await tree.keepFailed();

    await tree.rollback(point);

    expect(await repo.git("symbolic-ref", "--short", "HEAD")).toBe("main");
    expect(await repo.git("rev-parse", "HEAD")).toBe(point.head);
    expect(await clean(repo)).toBe("");
    expect(await repo.git("rev-parse", "refs/mmm/failed/s-1/2")).toBe(onMain);
  });

  it("goes back to a detached HEAD, and to a branch that the step deleted", async () => {
    const repo = await repoOf();
    await repo.git("checkout", "--quiet", "--detach");
    const tree = await treeOf(repo);
    const detached = await tree.mark(await tree.look());
    await repo.git("checkout", "--quiet", "main");
    await repo.write("x", "1");
    await repo.commitAll("moved");
    const main = await repo.git("rev-parse", "main");

    await tree.rollback(detached);
    expect(await tree.look()).toMatchObject({ head: detached.head, branch: null, changes: [] });
    expect(await repo.git("rev-parse", "main")).toBe(main);

    await repo.git("branch", "-D", "main");
    await tree.rollback({ ...detached, branch: "main" });
    expect(await tree.look()).toMatchObject({ head: detached.head, branch: "main", changes: [] });
  });

  it("comes back from an orphan branch with nothing in it", async () => {
    const repo = await repoOf({ a: "1" });
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.git("switch", "--quiet", "--orphan", "empty");
    await tree.keepFailed();

    await tree.rollback(point);

    expect(await repo.read("a")).toBe("1");
    expect(await clean(repo)).toBe("");
  });

  it.each([
    ["a merge", async (repo: Repo) => await repo.git("merge", "other").catch(() => "")],
    ["a rebase", async (repo: Repo) => await repo.git("rebase", "other").catch(() => "")],
    ["a cherry-pick", async (repo: Repo) => await repo.git("cherry-pick", "other").catch(() => "")],
    [
      "a revert",
      async (repo: Repo) => await repo.git("revert", "--no-edit", "HEAD~1").catch(() => ""),
    ],
    [
      "a bisect",
      async (repo: Repo) => {
        await repo.git("bisect", "start", "HEAD", "HEAD~2");
        await repo.git("bisect", "bad");
      },
    ],
  ])("ends %s that the step left", async (_, leave) => {
    const repo = await repoOf({ a: "1" });
    await repo.git("checkout", "--quiet", "-b", "other");
    await repo.write("a", "other");
    await repo.commitAll("other");
    await repo.git("checkout", "--quiet", "main");
    await repo.write("a", "2");
    await repo.commitAll("two");
    await repo.write("a", "3");
    await repo.commitAll("three");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await leave(repo);
    await tree.keepFailed();

    await tree.rollback(point);

    expect(await tree.look()).toEqual({ head: point.head, branch: "main", changes: [] });
    expect(await repo.git("status")).toBe("On branch main\nnothing to commit, working tree clean");
    expect(await repo.git("for-each-ref", "refs/bisect")).toBe("");
  });

  it("does not remove ignored files that a step made visible by taking lines out of .gitignore", async () => {
    const repo = await repoOf({ ".gitignore": "secret\nbuild/\n" });
    await repo.write("secret", "mine");
    await repo.write("build/out", "mine");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write(".gitignore", "");
    await repo.write("made", "by the step");
    await tree.keepFailed();

    await tree.rollback(point);

    expect(await clean(repo)).toBe("");
    expect(await repo.read("secret")).toBe("mine");
    expect(await repo.read("build/out")).toBe("mine");
    expect(existsSync(join(repo.root, "made"))).toBe(false);
  });

  it("takes back and keeps what a step made and put into .gitignore itself", async () => {
    const repo = await repoOf({ ".gitignore": "*.log\n" });
    await repo.write("play.yml", "- x");
    const tree = await treeOf(repo, { ownFiles: [join(repo.root, "play.yml")] });
    const point = await tree.mark(await tree.look());
    await repo.write(".gitignore", "*.log\n/cache/\n");
    await repo.write("cache/x", "by the step");
    await repo.write("x.log", "ignored before, too");
    await tree.keepFailed();

    await tree.rollback(point);

    expect(await clean(repo)).toBe("?? play.yml");
    expect(await repo.git("show", "refs/mmm/failed/s-1/2:cache/x")).toBe("by the step");
    expect(await repo.read("x.log")).toBe("ignored before, too");
  });

  it("removes nothing behind a symlink that a step had replaced by a folder", async () => {
    const repo = await repoOf();
    await repo.write(join(repo.base, "outside/f"), "mine");
    await symlink("../outside", join(repo.root, "link"));
    await repo.commitAll("link");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await rm(join(repo.root, "link"));
    await repo.write("link/f", "by the step");
    await repo.write("other", "by the step");

    await tree.rollback(point);

    expect(await clean(repo)).toBe("");
    expect(await repo.read("../outside/f")).toBe("mine");
    expect(await readlink(join(repo.root, "link"))).toBe("../outside");
  });

  it("is not led astray by hooks, programs and places that a step wrote into .git/config", async () => {
    const repo = await repoOf({ a: "1" });
    await repo.write(join(repo.base, "elsewhere/a"), "mine");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    const touch = `touch '${repo.base}/ran'`;
    await repo.write("a", "2");
    await repo.write("b", "2");
    for (const [key, value] of [
      ["core.fsmonitor", touch],
      ["core.hooksPath", repo.base],
      ["core.worktree", join(repo.base, "elsewhere")],
      ["core.editor", touch],
      ["core.pager", touch],
      ["core.excludesFile", "/nonexistent"],
      ["alias.status", `!${touch}`],
    ] as const)
      await repo.git("config", key, value);

    expect((await tree.look()).changes.map((change) => change.path)).toEqual(["a", "b"]);
    await tree.keepFailed();
    await tree.rollback(point);

    expect(await repo.read("a")).toBe("1");
    expect(existsSync(join(repo.root, "b"))).toBe(false);
    expect(await repo.read("../elsewhere/a")).toBe("mine");
    expect(existsSync(join(repo.base, "ran"))).toBe(false);
  });

  it("goes back to a point that went through the journal, with another process's tree", async () => {
    const repo = await repoOf({ a: "1" });
    await repo.write("play.yml", "- x");
    const ownFiles = [join(repo.root, "play.yml")];
    const before = await treeOf(repo, { ownFiles });
    const text = JSON.stringify(await before.mark(await before.look()));
    const after = await treeOf(repo, { ownFiles });
    await repo.write("a", "2");
    await repo.write("b", "2");

    await after.rollback(JSON.parse(text) as Awaited<ReturnType<typeof before.mark>>);

    expect(await clean(repo)).toBe("?? play.yml");
    expect(await repo.read("a")).toBe("1");
  });

  it("explains a held index.lock", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo, { limits: { lockWaitMs: 30 } });
    const point = await tree.mark(await tree.look());
    await repo.write(".git/index.lock", "");

    await expect(tree.rollback(point)).rejects.toMatchObject({ code: "index-locked", exitCode: 3 });
  });
});

type Repo = Awaited<ReturnType<typeof repoOf>>;

describe("snapshot (commit: off)", () => {
  it("stands for the tree and touches neither index nor files nor HEAD", async () => {
    const repo = await repoOf({ a: "1" });
    const tree = await treeOf(repo, { allowDirty: true });
    await repo.write("a", "2");
    await repo.write("b", "1");
    await repo.git("add", "b");
    const before = [await repo.git("ls-files", "--stage"), await clean(repo)];

    const point = await tree.snapshot();
    expect(await repo.git("rev-parse", "refs/mmm/snap/s-1^{tree}")).toBe(point.tree);
    expect(await repo.git("rev-parse", "refs/mmm/snap/s-1^")).toBe(point.head);
    expect([await repo.git("ls-files", "--stage"), await clean(repo)]).toEqual(before);

    await repo.write("c", "1");
    expect(await tree.filesSince(point, await tree.look())).toEqual([
      { path: "c", status: "added" },
    ]);
    const next = await tree.snapshot();
    expect(await repo.git("rev-parse", "refs/mmm/snap/s-1^{tree}")).toBe(next.tree);
    expect(await repo.git("rev-parse", "refs/mmm/snap/s-1^2^{tree}")).toBe(point.tree);
    expect(next.tree).not.toBe(point.tree);
  });

  it("costs one git process when nothing has changed since the last", async () => {
    const repo = await repoOf();
    const counted = await countGit(repo);
    const tree = await treeOf(repo, { env: { PATH: counted.path } });
    const point = await tree.snapshot();
    await counted.calls();

    expect(await tree.snapshot()).toEqual(point);

    expect(await counted.calls()).toEqual(["status"]);
  });

  it("works without an identity and in a clean tree", async () => {
    const repo = await repoOf();
    await writeFile(join(repo.home, ".gitconfig"), "[user]\n\tuseConfigOnly = true\n");
    const tree = await treeOf(repo);

    const point = await tree.snapshot();

    expect(point.tree).toBe(await repo.git("rev-parse", "HEAD^{tree}"));
  });
});

describe("what is marked", () => {
  it("outlives a gc, in a later process too, until the session is complete (spec 7)", async () => {
    const repo = await repoOf({ a: "1" });
    await repo.write("a", "mine");
    const tree = await treeOf(repo, { allowDirty: true });
    const first = await tree.mark(await tree.look());
    await repo.write("b", "1");
    const second = await tree.mark(await tree.look());
    const later = await treeOf(repo, { allowDirty: true });
    await repo.write("c", "1");
    await later.mark(await later.look());
    await repo.git("gc", "--quiet", "--prune=now");

    expect(await tree.filesSince(first, await tree.look())).toHaveLength(2);
    expect(await tree.filesSince(second, await tree.look())).toHaveLength(1);
    await later.release(true);
    expect(await repo.git("for-each-ref", "refs/mmm")).toBe("");
  });

  it("needs nothing when it is just HEAD", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    await tree.mark(await tree.look());

    expect(await repo.git("for-each-ref", "refs/mmm")).toBe("");
  });
});

describe("submodules, nested repositories, worktrees, sparse checkouts, line ends", () => {
  async function withSubmodule(): Promise<Repo> {
    const other = await repoOf({ lib: "1" });
    const repo = await repoOf();
    await repo.git("submodule", "--quiet", "add", other.root, "sub");
    await repo.commitAll("submodule");
    return repo;
  }

  it("leaves a submodule's contents alone and commits its new HEAD", async () => {
    const repo = await withSubmodule();
    const tree = await treeOf(repo);
    await repo.write("sub/lib", "2");
    await repo.write("sub/new", "2");
    expect((await tree.look()).changes).toEqual([]);

    await repo.gitIn("sub", "commit", "--quiet", "-am", "in the submodule");
    expect((await tree.look()).changes).toEqual([{ path: "sub", kind: "modified" }]);
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect(await repo.git("rev-parse", "HEAD:sub")).toBe(
      await repo.gitIn("sub", "rev-parse", "HEAD"),
    );
    expect(await repo.read("sub/new")).toBe("2");
  });

  it("rolls back around a submodule", async () => {
    const repo = await withSubmodule();
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write("sub/lib", "2");
    await repo.gitIn("sub", "commit", "--quiet", "-am", "in the submodule");
    await repo.git("commit", "--quiet", "-am", "link");
    await repo.write("x", "1");
    await tree.keepFailed();

    await tree.rollback(point);

    expect(await repo.git("rev-parse", "HEAD")).toBe(point.head);
    expect(await repo.read("sub/lib")).toBe("2");
    expect(existsSync(join(repo.root, "x"))).toBe(false);
  });

  it("sees a nested repository as one, keeps it at a rollback, and survives one without commits", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.git("init", "--quiet", "nested");
    await repo.write("nested/f", "1");
    await repo.write(".gitfile-dir/.git", "gitdir: /nonexistent\n");
    await repo.write(".gitfile-dir/f", "1");
    await repo.write("x", "1");

    const { changes } = await tree.look();
    expect(changes).toContainEqual({ path: "nested", kind: "nested-repository" });
    await tree.keepFailed();
    await tree.rollback(point);
    expect(existsSync(join(repo.root, "x"))).toBe(false);
    expect(await repo.read("nested/f")).toBe("1");
  });

  it("works in a linked worktree, in a path with spaces and umlauts, from a subdirectory", async () => {
    const repo = await repoOf({ a: "1", "sub/b": "1" }, { folder: "ein Ordner ü" });
    await repo.git("worktree", "add", "--quiet", "-b", "w", "../zweiter Ordner ß");
    const root = join(repo.base, "zweiter Ordner ß");
    const tree = await treeOf(repo, { cwd: join(root, "sub") });
    expect(tree.root).toBe(root);
    const point = await tree.mark(await tree.look());
    await repo.write(join(root, "a"), "2");
    await repo.write(join(root, "c d"), "2");

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect((await tree.look()).branch).toBe("w");
    expect(await tree.keepFailed()).toBe("refs/mmm/failed/s-1/1");
    await tree.exclude();
    await repo.write(join(root, ".mmm/state.json"), "{}");
    expect(await repo.gitIn(root, "status", "--porcelain")).toBe("");
    await tree.rollback(point);
    expect(existsSync(join(root, "c d"))).toBe(false);
    expect(await clean(repo)).toBe("");
    expect(await repo.git("rev-parse", "main")).toBe(point.head);
  });

  it("works in a repository with SHA-256 names", async () => {
    const repo = await repoOf();
    await repo.git("init", "--quiet", "--object-format=sha256", "../long");
    const root = join(repo.base, "long");
    await repo.gitIn(root, "commit", "--quiet", "--allow-empty", "-m", "first");
    const tree = await treeOf(repo, { cwd: root });
    const point = await tree.mark(await tree.look());
    await repo.write(join(root, "a"), "1");
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    await rm(join(root, "a"));
    await repo.write(join(root, "b"), "1");

    expect(await tree.keepFailed()).toBe("refs/mmm/failed/s-1/1");
    await tree.rollback(point);
    expect(await tree.look()).toMatchObject({ head: point.head, changes: [] });
  });

  it("keeps a sparse checkout sparse", async () => {
    const repo = await repoOf({ "in/a": "1", "out/b": "1" });
    await repo.git("sparse-checkout", "set", "in");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write("in/a", "2");
    await repo.write("in/new", "2");
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect(await repo.git("ls-tree", "-r", "--name-only", "HEAD")).toBe("in/a\nin/new\nout/b");

    await repo.git("rm", "--quiet", "--sparse", "--cached", "out/b");
    await repo.git("commit", "--quiet", "-m", "out of the cone");
    await tree.keepFailed();
    await tree.rollback(point);
    expect(await tree.look()).toMatchObject({ head: point.head, changes: [] });
    expect(existsSync(join(repo.root, "out/b"))).toBe(false);
  });

  it("lives with autocrlf, safecrlf and filters", async () => {
    const repo = await repoOf({
      "a.txt": "1\n",
      ".gitattributes": "*.txt text eol=crlf\n*.up filter=up\n",
    });
    await repo.git("config", "core.autocrlf", "true");
    await repo.git("config", "core.safecrlf", "true");
    await repo.git("config", "filter.up.clean", "tr a-z A-Z");
    await repo.git("config", "filter.up.smudge", "tr A-Z a-z");
    await repo.git("checkout", "--quiet", "--force", "HEAD", "--", ".");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write("a.txt", "1\r\n2\nmixed\r\n");
    await repo.write("b.up", "abc\n");

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect(await repo.git("show", "HEAD:b.up")).toBe("ABC");
    expect((await tree.look()).changes).toEqual([]);
    await tree.rollback(point);
    expect((await tree.look()).changes).toEqual([]);
  });

  it("commits nothing when only line ends differ, and is not asked again", async () => {
    const repo = await repoOf({ "a.txt": "1\n", ".gitattributes": "*.txt text\n" });
    const tree = await treeOf(repo);
    await repo.write("a.txt", "1\r\n");

    expect(await commitOf(tree)).toEqual({ kind: "nothing" });
    expect((await tree.look()).changes).toEqual([]);
  });

  it("carries names that are no UTF-8 through commit and rollback", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    const name = Buffer.concat([
      Buffer.from(`${repo.root}/caf`),
      Buffer.of(0xe9),
      Buffer.from(".txt"),
    ]);
    await writeFile(name, "1");

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect(await clean(repo)).toBe("");
    await tree.rollback(point);
    expect(existsSync(name)).toBe(false);
  });
});

describe("exists and directoryInside", () => {
  it("follows links inside and refuses everything outside", async () => {
    const repo = await repoOf({ "dir/f": "1" });
    await symlink("dir", join(repo.root, "in"));
    await symlink("..", join(repo.root, "out"));
    await symlink("nowhere", join(repo.root, "dangling"));
    const tree = await treeOf(repo, { allowDirty: true });

    expect(await tree.directoryInside("in")).toBe(join(repo.root, "dir"));
    expect(await tree.directoryInside(".")).toBe(repo.root);
    for (const path of ["out", "..", "out/repo/../home", "/etc", "dir/f", "missing", "a\0b"])
      expect(await tree.directoryInside(path)).toBeNull();
    expect(await tree.exists("in/f")).toBe(true);
    for (const path of ["dangling", "missing", "../home", "/etc/passwd", "dir/f/x"])
      expect(await tree.exists(path)).toBe(false);
  });
});

describe("exclude", () => {
  it("adds the lines once, after a last line without an end, and makes the folder", async () => {
    const repo = await repoOf();
    await repo.write(".git/info/exclude", "mine");
    const tree = await treeOf(repo);

    await tree.exclude();
    await tree.exclude();
    expect(await repo.read(".git/info/exclude")).toBe(
      "mine\n/.mmm/state.json*\n/.mmm/sessions/\n/.mmm/context/\n/.mmm/*.lock\n",
    );

    await rm(join(repo.root, ".git/info"), { recursive: true });
    await tree.exclude();
    await repo.write(".mmm/sessions/x/y", "1");
    await repo.write(".mmm/s.lock", "1");
    expect(await clean(repo)).toBe("");
  });
});
