import { chmod, mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { commitOf, repoOf, treeOf } from "./support.ts";

describe("commit", () => {
  it("commits exactly the changes, with subject and trailers (spec 5)", async () => {
    const repo = await repoOf({ a: "1", b: "1", c: "1" });
    const tree = await treeOf(repo);
    await repo.write("a", "2");
    await rm(join(repo.root, "b"));
    await repo.write("n/x", "1");
    await repo.write("not asked for", "1");
    await repo.git("add", "not asked for");
    const changes = (await tree.look()).changes.filter((c) => c.path !== "not asked for");

    const outcome = await commitOf(tree, {
      changes,
      message: "lint",
      trailers: [
        ["Mmm-Session", "s-1"],
        ["Mmm-Step", "2/5 lint\nwith a line"],
      ],
    });

    expect(outcome).toEqual({
      kind: "committed",
      sha: await repo.git("rev-parse", "HEAD"),
      subject: "lint",
    });
    expect(await repo.git("show", "--no-renames", "--name-status", "--format=", "HEAD")).toBe(
      "M\ta\nD\tb\nA\tn/x",
    );
    expect(await repo.git("log", "-1", "--format=%B")).toBe(
      "lint\n\nMmm-Session: s-1\nMmm-Step: 2/5 lint with a line\n",
    );
    expect(await repo.git("diff", "--cached", "--name-only")).toBe("not asked for");
  });

  it.each([
    ["# not a comment", "# not a comment"],
    ["--amend", "--amend"],
    ["", "mmm: step"],
    [" \n\t\n", "mmm: step"],
    ["\n\nlate\r\nbody", "late"],
    ["esc \u001b[31mred\u0007 \0nul", "esc [31mred nul"],
    ["ä 日本 🎉", "ä 日本 🎉"],
    ["x".repeat(3000), `${"x".repeat(249)}…`],
  ])("makes a subject of %j", async (message, subject) => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    await repo.write("a", "1");

    expect(await commitOf(tree, { message, trailers: [["Mmm-Step", "1"]] })).toMatchObject({
      subject,
    });
    expect(await repo.git("log", "-1", "--format=%s")).toBe(subject);
    expect(await repo.git("log", "-1", "--format=%(trailers:key=Mmm-Step,valueonly)")).toBe("1\n");
  });

  it("commits a change of every kind: type, mode, link, file for folder and back", async () => {
    const repo = await repoOf({ "dir/f": "1", file: "1", run: "#!", toLink: "1", linkdir: "1" });
    await symlink("file", join(repo.root, "wasLink"));
    await repo.commitAll("link");
    const tree = await treeOf(repo);
    await rm(join(repo.root, "dir"), { recursive: true });
    await repo.write("dir", "now a file");
    await rm(join(repo.root, "file"));
    await repo.write("file/f", "now a folder");
    await chmod(join(repo.root, "run"), 0o755);
    await rm(join(repo.root, "toLink"));
    await symlink("nowhere", join(repo.root, "toLink"));
    await rm(join(repo.root, "wasLink"));
    await repo.write("wasLink", "1");
    await mkdir(join(repo.root, "empty/folder"), { recursive: true });
    await repo.write("staged then gone", "1");
    await repo.git("add", "staged then gone");
    await rm(join(repo.root, "staged then gone"));

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });

    expect(await repo.git("status", "--porcelain")).toBe("");
    expect(await repo.git("ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD")).toBe(
      "100644 dir\n100644 file/f\n100644 linkdir\n100755 run\n120000 toLink\n100644 wasLink",
    );
  });

  it("commits a folder that became a symlink to a folder with files of the same names", async () => {
    const repo = await repoOf({ "dir/f": "1", "other/f": "1" });
    const tree = await treeOf(repo);
    await rm(join(repo.root, "dir"), { recursive: true });
    await symlink("other", join(repo.root, "dir"));

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect(await repo.git("ls-files")).toBe("dir\nother/f");
  });

  it("has nothing to do without changes", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);

    expect(await commitOf(tree)).toEqual({ kind: "nothing" });
  });

  it("concludes a resolved merge and refuses an unresolved one", async () => {
    const repo = await repoOf({ a: "1" });
    await repo.git("checkout", "--quiet", "-b", "other");
    await repo.write("a", "other");
    await repo.commitAll("other");
    await repo.git("checkout", "--quiet", "main");
    await repo.write("a", "main");
    await repo.commitAll("main");
    const tree = await treeOf(repo);
    await repo.git("merge", "other").catch(() => "");

    expect(await commitOf(tree)).toMatchObject({
      kind: "refused",
      text: "merge conflicts are not resolved: a",
    });
    await repo.write("a", "both");
    await repo.git("add", "a");
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect((await repo.git("log", "-1", "--format=%P")).split(" ")).toHaveLength(2);
  });

  it("commits 900 files, and with everything 3000, a nested repository as a link", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    for (let n = 0; n < 900; n += 1) await repo.write(`n/${n}`, "1");
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });

    for (let n = 0; n < 3000; n += 1) await repo.write(`m/${n}`, "1");
    await repo.git("init", "--quiet", "nested");
    await repo.gitIn("nested", "commit", "--quiet", "--allow-empty", "-m", "x");
    await repo.git("init", "--quiet", "unborn");
    expect(await commitOf(tree)).toMatchObject({ kind: "blocked" });
    expect(await commitOf(tree, { everything: true })).toMatchObject({ kind: "committed" });
    expect(await repo.git("ls-files", "--stage", "nested")).toMatch(/^160000 /);
    expect((await repo.git("ls-files", "m")).split("\n")).toHaveLength(3000);
  });
});

describe("hooks", () => {
  it("runs them, from core.hooksPath too, and a refusing one leaves the index as it was", async () => {
    const repo = await repoOf({ a: "1" });
    await repo.git("config", "core.hooksPath", "../hooks");
    const tree = await treeOf(repo);
    await repo.write("a", "2");
    await repo.write("b", "1");
    const before = [await repo.git("status", "--porcelain"), await repo.git("ls-files", "--stage")];
    await repo.writeProgram(
      join(repo.base, "hooks/pre-commit"),
      "#!/bin/sh\ngit add -A\necho 'lint: a.js:1 bad' >&2\nexit 1\n",
    );

    expect(await commitOf(tree)).toEqual({ kind: "refused", text: "lint: a.js:1 bad" });
    expect([
      await repo.git("status", "--porcelain"),
      await repo.git("ls-files", "--stage"),
    ]).toEqual(before);

    await repo.writeProgram(join(repo.base, "hooks/pre-commit"), "#!/bin/sh\nexit 0\n");
    await repo.writeProgram(
      join(repo.base, "hooks/commit-msg"),
      '#!/bin/sh\nsed -i "1s/^/[hook] /" "$1"\n',
    );
    expect(await commitOf(tree)).toMatchObject({ kind: "committed", subject: "[hook] step" });
    expect(await repo.git("status", "--porcelain")).toBe("");
  });

  it("gives hooks the user's environment: no pinned repository, no literal pathspecs", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo, { env: { GIT_LITERAL_PATHSPECS: "1", LC_ALL: "C.UTF-8" } });
    await repo.writeProgram(
      ".git/hooks/pre-commit",
      '#!/bin/sh\nenv | grep -E "^(GIT_WORK_TREE|GIT_LITERAL_PATHSPECS|GIT_OPTIONAL_LOCKS|LC_ALL|GIT_TERMINAL_PROMPT|GIT_EDITOR)=" | sort >"$HOME/seen"\n',
    );
    await repo.write("a", "1");

    await commitOf(tree);

    // git itself says `:` to hooks when no editor is to be opened
    expect(await repo.read(join(repo.home, "seen"))).toBe(
      "GIT_EDITOR=:\nGIT_TERMINAL_PROMPT=0\nLC_ALL=C.UTF-8\n",
    );
  });

  it("calls it nothing when a hook took everything back", async () => {
    const repo = await repoOf({ a: "1" });
    const tree = await treeOf(repo);
    await repo.writeProgram(".git/hooks/pre-commit", "#!/bin/sh\ngit checkout --quiet HEAD -- .\n");
    await repo.write("a", "2");

    expect(await commitOf(tree)).toEqual({ kind: "nothing" });
    expect(await repo.git("status", "--porcelain")).toBe("");
  });

  it("counts a commit that is made though the hook after it hangs", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo, { limits: { hookMs: 4000 } });
    await repo.writeProgram(".git/hooks/post-commit", "#!/bin/sh\nsleep 1000\n");
    await repo.write("a", "1");

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect(existsSync(join(repo.root, ".git/index.lock"))).toBe(false);
  });

  it("runs none for what mmm does besides committing", async () => {
    const repo = await repoOf({ a: "1" });
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    for (const hook of ["post-index-change", "reference-transaction", "post-checkout"])
      await repo.writeProgram(`.git/hooks/${hook}`, `#!/bin/sh\ntouch "$HOME/ran"\nexit 1\n`);
    await repo.write("a", "2");
    await tree.keepFailed();
    await tree.snapshot();
    await tree.rollback(point);

    expect(existsSync(join(repo.home, "ran"))).toBe(false);
    expect(await repo.read("a")).toBe("1");
  });
});

describe("a file that cannot be staged", () => {
  it("refuses the commit with git's words, but keeps nothing else from being kept and taken back", async () => {
    const repo = await repoOf({ ".gitattributes": "*.bad filter=broken\n" });
    await repo.git("config", "filter.broken.clean", "false");
    await repo.git("config", "filter.broken.required", "true");
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    for (let n = 0; n < 9; n += 1) await repo.write(`n/${n}`, "1");
    await repo.write("n/x.bad", "1");

    const outcome = await commitOf(tree);
    expect(outcome).toMatchObject({ kind: "refused" });
    expect(outcome.kind === "refused" && outcome.text).toContain("n/x.bad");
    expect(await repo.git("diff", "--cached", "--name-only")).toBe("");

    const ref = await tree.keepFailed();
    await tree.rollback(point);
    expect((await repo.git("ls-tree", "-r", "--name-only", ref, "n/")).split("\n")).toHaveLength(9);
    expect(await repo.git("status", "--porcelain", "--untracked-files=all")).toBe("?? n/x.bad");
  });
});

describe("waiting", () => {
  it("ends a commit that waits for a passphrase, its whole group, and leaves all as it was", async () => {
    const repo = await repoOf();
    const pids = join(repo.base, "pids");
    await repo.writeProgram(
      join(repo.base, "gpg"),
      `#!/bin/sh\ntrap '' TERM\nsleep 1000 & echo $! >'${pids}'; echo $$ >>'${pids}'\nwait; wait; wait\n`,
    );
    await repo.git("config", "gpg.program", join(repo.base, "gpg"));
    await repo.git("config", "commit.gpgSign", "true");
    const tree = await treeOf(repo, { limits: { passphraseMs: 4000 } });
    await repo.write("a", "1");

    expect(await commitOf(tree)).toEqual({ kind: "timed-out", afterMs: 4000 });
    for (const pid of (await repo.read(pids)).trim().split("\n"))
      await expect.poll(() => isAlive(Number(pid))).toBe(false);
    expect(existsSync(join(repo.root, ".git/index.lock"))).toBe(false);
    expect(await repo.git("status", "--porcelain")).toBe("?? a");

    await repo.git("config", "commit.gpgSign", "false");
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
  });

  it("gives a commit that is to be signed 60 s to say something (spec 5)", async () => {
    const repo = await repoOf();
    await repo.git("config", "gpg.program", "false");
    await repo.git("config", "commit.gpgSign", "true");
    const tree = await treeOf(repo);
    await repo.write("a", "1");
    const timers = vi.spyOn(globalThis, "setTimeout");

    expect(await commitOf(tree)).toMatchObject({ kind: "refused" });
    expect(timers.mock.calls.map(([, ms]) => ms)).toContain(60_000);
    timers.mockRestore();
  });

  it("is ended by the signal", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    await repo.writeProgram(
      ".git/hooks/pre-commit",
      `#!/bin/sh\necho $$ >'${repo.base}/pid'\nsleep 1000\n`,
    );
    await repo.write("a", "1");
    const abort = new AbortController();
    const outcome = commitOf(tree, {}, abort.signal);
    await expect.poll(() => existsSync(join(repo.base, "pid"))).toBe(true);
    abort.abort();

    expect(await outcome).toMatchObject({ kind: "refused" });
    expect(await repo.git("status", "--porcelain")).toBe("?? a");
  });

  it("waits for a held index.lock, then says who holds it", async () => {
    const repo = await repoOf();
    const lock = join(repo.root, ".git/index.lock");
    const impatient = await treeOf(repo, { limits: { lockWaitMs: 50 } });
    const patient = await treeOf(repo);
    await repo.write("a", "1");
    await writeFile(lock, "");

    const refused = await commitOf(impatient);
    expect(refused).toMatchObject({ kind: "refused" });
    expect(refused.kind === "refused" && refused.text).toContain(`rm '${lock}'`);

    const outcome = commitOf(patient);
    await rm(lock);
    expect(await outcome).toMatchObject({ kind: "committed" });
  });
});

/** A zombie that nobody has reaped yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const state = existsSync("/proc/self/stat") ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
  return !/\) Z /.test(state);
}

describe("what is never swept in (spec 5)", () => {
  it.each([
    [".env", "/.env"],
    ["conf/.env.local", "/conf/.env.local"],
    ["key.PEM", "/key.PEM"],
    ["id_rsa", "/id_rsa"],
    ["a/id_ed25519.old", "/a/id_ed25519.old"],
    ["[x] *.pem", "/\\[x\\] \\*.pem"],
  ])("blocks %s by its name, stages nothing, and its line helps", async (path, line) => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    await repo.write(path, "x");
    await repo.write("fine", "x");

    const outcome = await commitOf(tree);

    expect(outcome).toEqual({
      kind: "blocked",
      reasons: [`${path} has the name of a secret`],
      ignoreLines: [line],
    });
    expect(await repo.git("diff", "--cached", "--name-only")).toBe("");
    await repo.write(".gitignore", `${line}\n`);
    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
    expect(await repo.git("ls-files", "-z")).toBe(".gitignore\0README.md\0fine\0");
  });

  it("lets examples of such files, public keys and changes of known files through", async () => {
    const repo = await repoOf({ ".env": "known" });
    const tree = await treeOf(repo);
    for (const name of [".env.example", "a/.env.sample", ".env.local.template", "id_rsa.pub"])
      await repo.write(name, "x");
    await repo.write(".env", "changed");

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });
  });

  it("blocks a file over 20 MB, more than 1000 new files and a nested repository, unless everything", async () => {
    const repo = await repoOf();
    const tree = await treeOf(repo);
    for (let n = 0; n < 1001; n += 1) await repo.write(`app/node_modules/x/${n}`, "");
    await repo.write("big.bin", "");
    await truncate(join(repo.root, "big.bin"), 20 * 1024 * 1024 + 1);
    await repo.git("init", "--quiet", "nested");
    await repo.gitIn("nested", "commit", "--quiet", "--allow-empty", "-m", "x");

    expect(await commitOf(tree)).toEqual({
      kind: "blocked",
      reasons: [
        expect.stringContaining("1002 new files, more than 1000, such as "),
        "big.bin is 21 MB, more than 20 MB",
        "nested is a git repository of its own",
      ],
      ignoreLines: ["node_modules/", "/big.bin", "/nested/"],
    });
    expect(await repo.git("diff", "--cached", "--name-only")).toBe("");
  });
});
