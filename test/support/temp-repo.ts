/**
 * A repository of its own for one test: own HOME, own identity, own config, nothing of the machine's.
 *
 * Refuses to run git or to write anywhere but below the folder it made under `os.tmpdir()`.
 */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";

export interface TempRepo {
  /** Top of the working tree, symlinks resolved. */
  readonly root: string;
  /** HOME of everything that runs here; empty but for `.gitconfig`. */
  readonly home: string;
  /** Holds `root` and `home`; put whatever else a test needs in here. */
  readonly base: string;
  /** The whole environment for git, mmm and other children: PATH, HOME, identity by config, no more. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs git in `root`; stdout without its last newline. Rejects on any exit code but 0. */
  git(...args: readonly string[]): Promise<string>;
  /** The same in another folder below `base`. */
  gitIn(folder: string, ...args: readonly string[]): Promise<string>;
  /** Makes the folders too. `path` is relative to `root`. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** An executable file, e.g. a hook; relative to `root`. */
  writeProgram(path: string, content: string): Promise<void>;
  read(path: string): Promise<string>;
  /** `git add -A && git commit`; the new HEAD. */
  commitAll(message: string): Promise<string>;
  dispose(): Promise<void>;
}

export interface TempRepoOptions {
  /** Name of the working tree's folder; default `repo`. */
  readonly folder?: string;
  /** `false`: `git init` and the files, no commit. */
  readonly commit?: boolean;
}

/** @param files path -> content of the first commit; default one `README.md`. The branch is `main`. */
export async function makeRepo(
  files: Readonly<Record<string, string>> = { "README.md": "hello\n" },
  options: TempRepoOptions = {},
): Promise<TempRepo> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "mmm-test-")));
  const root = join(base, options.folder ?? "repo");
  const home = join(base, "home");
  await mkdir(root, { recursive: true });
  await mkdir(home);
  await writeFile(
    join(home, ".gitconfig"),
    '[user]\n\tname = Test Person\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n',
  );
  const env = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CEILING_DIRECTORIES: base,
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C.UTF-8",
  };
  const inside = (path: string): string => {
    if (path !== base && !path.startsWith(base + sep))
      throw new Error(`temp-repo works below ${base} only, not in ${path}`);
    return path;
  };
  const gitIn = async (folder: string, ...args: readonly string[]): Promise<string> =>
    await new Promise((done, fail) => {
      execFile(
        "git",
        [...args],
        { cwd: inside(resolve(root, folder)), env, maxBuffer: 1 << 28 },
        (error, stdout, stderr) => {
          if (error === null) done(stdout.replace(/\n$/, ""));
          else fail(new Error(`git ${args.join(" ")}: ${error.message}\n${stdout}${stderr}`));
        },
      );
    });
  const write = async (path: string, content: string | Uint8Array): Promise<void> => {
    const file = inside(resolve(root, path));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  };
  const repo: TempRepo = {
    root,
    home,
    base,
    env,
    gitIn,
    git: async (...args) => await gitIn(root, ...args),
    write,
    async writeProgram(path, content) {
      await write(path, content);
      await chmod(inside(resolve(root, path)), 0o755);
    },
    read: async (path) => await readFile(inside(resolve(root, path)), "utf8"),
    async commitAll(message) {
      await gitIn(root, "add", "-A");
      await gitIn(root, "commit", "--quiet", "--allow-empty", "-m", message);
      return await gitIn(root, "rev-parse", "HEAD");
    },
    async dispose() {
      await rm(base, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  await gitIn(root, "init", "--quiet");
  for (const [path, content] of Object.entries(files)) await write(path, content);
  if (options.commit !== false) await repo.commitAll("first");
  return repo;
}
