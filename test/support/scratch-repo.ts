/** Throw-away repositories with a HOME and an identity of their own. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";

export interface Scratch {
  /** A new folder; removed after the file's tests. */
  folder(): string;
  /** A new repository that holds `files`, one commit a subject (the files all come with the first). */
  repository(files: Readonly<Record<string, string>>, subjects?: readonly string[]): string;
  git(cwd: string, ...args: readonly string[]): string;
}

/** Call it at the top of a test file: the machine's git config is out of sight for all of it. */
export function useScratch(): Scratch {
  const top = realpathSync(mkdtempSync(path.join(os.tmpdir(), "mmm-context-")));
  const identity = {
    HOME: top,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: path.join(top, "gitconfig"),
    GIT_AUTHOR_NAME: "Test",
    GIT_AUTHOR_EMAIL: "test@example.org",
    GIT_COMMITTER_NAME: "Test",
    GIT_COMMITTER_EMAIL: "test@example.org",
  };
  const before = new Map(Object.keys(identity).map((name) => [name, process.env[name]]));
  let folders = 0;

  beforeAll(() => {
    writeFileSync(identity.GIT_CONFIG_GLOBAL, "[init]\n\tdefaultBranch = main\n");
    Object.assign(process.env, identity);
  });
  afterAll(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(top, { recursive: true, force: true });
  });

  const git = (cwd: string, ...args: readonly string[]): string =>
    execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const folder = (): string => {
    folders += 1;
    const made = path.join(top, `r${folders}`);
    mkdirSync(made);
    return made;
  };
  const repository: Scratch["repository"] = (files, subjects = ["chore: start"]) => {
    const root = folder();
    git(root, "init", "--quiet");
    writeFiles(root, files);
    git(root, "add", "--all");
    for (const subject of subjects) git(root, "commit", "--quiet", "--allow-empty", "-m", subject);
    return root;
  };
  return { folder, repository, git };
}

/** Makes the folders as well. */
export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
}
