import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findRepository } from "../../src/git/repository.ts";
import { checkIdentity, checkReady } from "../../src/git/ready.ts";
import { MmmError } from "../../src/errors.ts";
import { repoOf } from "./support.ts";

describe("findRepository", () => {
  it("finds top, git directories, prefix, branch and HEAD", async () => {
    const repo = await repoOf({ "sub/ä b/f": "1" }, { folder: "Ordner ü" });
    await symlink("Ordner ü/sub", join(repo.base, "short"));

    const start = await findRepository(join(repo.base, "short/ä b"), repo.env);

    expect(start).toMatchObject({
      root: repo.root,
      gitDir: join(repo.root, ".git"),
      commonDir: join(repo.root, ".git"),
      prefix: "sub/ä b",
      branch: "main",
      head: await repo.git("rev-parse", "HEAD"),
    });
  });

  it("tells a linked worktree's directories apart and a detached HEAD", async () => {
    const repo = await repoOf();
    await repo.git("worktree", "add", "--quiet", "--detach", "../w");

    expect(await findRepository(join(repo.base, "w"), repo.env)).toMatchObject({
      root: join(repo.base, "w"),
      gitDir: join(repo.root, ".git/worktrees/w"),
      commonDir: join(repo.root, ".git"),
      prefix: "",
      branch: null,
    });
  });

  it.each([
    ["no-repository", "home", {}, "git init"],
    ["no-work-tree", "repo/.git", {}, "cd to the folder that holds .git"],
    [
      "repository-owner",
      "repo",
      { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" },
      "git config --global --add safe.directory '",
    ],
    ["git-missing", "repo", { PATH: "/nonexistent" }, "install git 2.31"],
  ])("answers with %s", async (code, folder, env, next) => {
    const repo = await repoOf();

    const error = await failure(findRepository(join(repo.base, folder), { ...repo.env, ...env }));

    expect([error.code, error.exitCode]).toEqual([code, 3]);
    expect(error.next[0]).toContain(next);
  });

  it("refuses a bare repository, one without a commit, and an old git", async () => {
    const repo = await repoOf({ a: "1" }, { commit: false });
    const unborn = await failure(findRepository(repo.root, repo.env));
    expect([unborn.code, unborn.exitCode]).toEqual(["no-commit", 3]);
    expect(unborn.next).toEqual(["git add -A", 'git commit -m "first commit"']);

    await repo.git("init", "--quiet", "--bare", "../bare");
    expect(await failure(findRepository(join(repo.base, "bare"), repo.env))).toMatchObject({
      code: "repository-bare",
    });

    await repo.writeProgram(join(repo.base, "bin/git"), "#!/bin/sh\necho git version 2.30.9\n");
    const old = await failure(
      findRepository(repo.root, { ...repo.env, PATH: `${repo.base}/bin:${repo.env["PATH"]}` }),
    );
    expect([old.code, old.message]).toEqual([
      "git-old",
      "mmm needs git 2.31 or newer, and this is git version 2.30.9",
    ]);
  });
});

describe("checkReady (spec 5, Start)", () => {
  it("lists at most 20 dirty files, untracked ones included, and the two ways on", async () => {
    const repo = await repoOf({ a: "1" });
    await repo.write("a", "2");
    await repo.write("evil\n\u001b[2Jname", "1");
    for (let n = 10; n < 40; n += 1) await repo.write(`n/${n}`, "1");

    const error = await failure(ready(repo));

    expect([error.code, error.exitCode]).toEqual(["dirty-tree", 3]);
    const lines = error.message.split("\n");
    expect(lines).toHaveLength(22);
    expect(lines[0]).toContain("32 files are not committed");
    expect(lines[1]).toBe("  a");
    expect(lines[2]).toBe('  "evil\\n\\u001b[2Jname"');
    expect(lines.at(-1)).toBe("  and 12 more");
    expect(error.next[0]).toMatch(/^git stash -u -- /);
    expect(error.next[1]).toContain("--allow-dirty");
  });

  it("does not mind playbook, parameter file, .mmm and .claude, nor ignored files", async () => {
    const repo = await repoOf({ ".gitignore": "*.log\n" });
    await repo.write("play.yml", "1");
    await repo.write("sub/params.yml", "1");
    await repo.write(".mmm/PROJECT.md", "1");
    await repo.write(".claude/commands/x.md", "1");
    await repo.write("sub/.claude/commands/x.md", "1");
    await repo.write("x.log", "1");
    await symlink(repo.root, join(repo.base, "link"));

    const result = await ready(repo, {
      ownFiles: [
        join(repo.base, "link/play.yml"),
        join(repo.root, "sub/params.yml"),
        "/else/where",
      ],
    });

    expect([...result.protectedPaths].sort()).toEqual([
      ".claude/commands/x.md",
      ".mmm/PROJECT.md",
      "play.yml",
      "sub/.claude/commands/x.md",
      "sub/params.yml",
    ]);
    await expect(ready(repo)).rejects.toMatchObject({ code: "dirty-tree" });
    await expect(ready(repo, { allowDirty: true })).resolves.toBeDefined();
  });

  it.each([
    ["MERGE_HEAD", "a merge"],
    ["CHERRY_PICK_HEAD", "a cherry-pick"],
    ["REVERT_HEAD", "a revert"],
    ["BISECT_LOG", "a bisect"],
    ["rebase-merge", "a rebase"],
    ["rebase-apply/applying", "git am"],
  ])("stops at %s with the way out, also with --allow-dirty", async (file, name) => {
    const repo = await repoOf();
    await repo.write(`.git/${file}`, "");

    const error = await failure(ready(repo, { allowDirty: true }));

    expect([error.code, error.exitCode]).toEqual(["git-under-way", 3]);
    expect(error.message).toBe(`${name} is under way in this repository`);
    expect(error.next.length).toBeGreaterThan(0);
  });

  it("stops at a real merge conflict before it lists dirt", async () => {
    const repo = await repoOf({ a: "1" });
    await repo.git("checkout", "--quiet", "-b", "other");
    await repo.write("a", "2");
    await repo.commitAll("2");
    await repo.git("checkout", "--quiet", "main");
    await repo.write("a", "3");
    await repo.commitAll("3");
    await repo.git("merge", "other").catch(() => "");

    await expect(ready(repo)).rejects.toMatchObject({ code: "git-under-way" });
  });

  it("waits for index.lock and goes on, or explains it", async () => {
    const repo = await repoOf();
    const lock = join(repo.root, ".git/index.lock");
    await writeFile(lock, "");

    const error = await failure(ready(repo, { lockWaitMs: 30 }));
    expect([error.code, error.exitCode]).toEqual(["index-locked", 3]);
    expect(error.next[0]).toContain(`rm '${lock}'`);

    const waiting = ready(repo, { lockWaitMs: 10_000 });
    await rm(lock);
    await expect(waiting).resolves.toEqual({ protectedPaths: [] });
  });

  it("counts a dirty submodule's contents as nobody's business, a moved one as dirt", async () => {
    const other = await repoOf({ lib: "1" });
    const repo = await repoOf();
    await repo.git("submodule", "--quiet", "add", other.root, "sub");
    await repo.commitAll("submodule");
    await repo.write("sub/lib", "2");
    await expect(ready(repo)).resolves.toEqual({ protectedPaths: [] });

    await repo.gitIn("sub", "commit", "--quiet", "-am", "moved");
    await expect(ready(repo)).rejects.toMatchObject({ code: "dirty-tree" });
  });
});

describe("checkIdentity", () => {
  it("is content with config or environment", async () => {
    const repo = await repoOf();
    await checkIdentity(await findRepository(repo.root, repo.env));

    await writeFile(join(repo.home, ".gitconfig"), "[user]\n\tuseConfigOnly = true\n");
    const env = {
      ...repo.env,
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@example.invalid",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@example.invalid",
    };
    await checkIdentity(await findRepository(repo.root, env));
  });

  it("stops without one, with the two lines to type", async () => {
    const repo = await repoOf();
    await writeFile(join(repo.home, ".gitconfig"), "[user]\n\tuseConfigOnly = true\n");

    const error = await failure(checkIdentity(await findRepository(repo.root, repo.env)));

    expect([error.code, error.exitCode]).toEqual(["no-identity", 3]);
    expect(error.next).toEqual([
      'git config --global user.name "Your Name"',
      "git config --global user.email you@example.com",
    ]);
  });
});

type Repo = Awaited<ReturnType<typeof repoOf>>;

async function ready(
  repo: Repo,
  options: Partial<Parameters<typeof checkReady>[1]> = {},
): ReturnType<typeof checkReady> {
  await mkdir(join(repo.root, ".git/info"), { recursive: true });
  const start = await findRepository(repo.root, repo.env);
  return await checkReady(start, { allowDirty: false, ownFiles: [], ...options });
}

async function failure(promise: Promise<unknown>): Promise<MmmError> {
  const error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (cause: unknown) => cause,
  );
  if (error instanceof MmmError) return error;
  throw error;
}
