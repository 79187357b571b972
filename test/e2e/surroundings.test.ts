/** No machine, however broken, makes mmm end in a stack trace, a hang or a code outside the table (spec 1.1). */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { expectDecent, makeRig, type Rig, type RunOptions } from "./rig.ts";

/** Root reads and writes everything; what is about permissions runs as nobody, and is left out for others. */
const isRoot = process.getuid?.() === 0;
const asNobody = { around: 'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"' };
const forGood = "\u001b[2J";

let rig: Rig;
afterEach(async () => rig.dispose());

type Make = (one: Rig) => Promise<RunOptions | void>;

interface Place {
  readonly args?: readonly string[];
  readonly code: number;
  /** On stdout or stderr. */
  readonly says?: RegExp;
  /** Before the run; what it returns goes to it. */
  readonly make?: Make;
  readonly needsRoot?: boolean;
  readonly needsMount?: boolean;
}

const at = (one: Rig, ...names: string[]): string => path.join(one.repo.root, ...names);
const file =
  (name: string, text: string): Make =>
  async (one) =>
    one.repo.write(name, text);
const folder =
  (name: string): Make =>
  async (one) =>
    void (await fs.mkdir(at(one, name), { recursive: true }));
const fifo =
  (name: string): Make =>
  async (one) => {
    await fs.mkdir(path.dirname(at(one, name)), { recursive: true });
    spawnSync("mkfifo", [at(one, name)]);
  };
const committed =
  (make: Make): Make =>
  async (one) => {
    await make(one);
    await one.repo.commitAll("more");
  };
const git =
  (...args: string[]): Make =>
  async (one) =>
    void (await one.repo.git(...args));
const around =
  (text: string): Make =>
  async () => ({ around: text });
const env =
  (variables: Readonly<Record<string, string | undefined>>): Make =>
  async () => ({ env: variables });
const fakeGit =
  (text: string): Make =>
  async (one) => {
    const bin = path.join(one.repo.base, "bin");
    await fs.mkdir(bin);
    await fs.writeFile(path.join(bin, "git"), text, { mode: 0o755 });
    return { env: { PATH: `${bin}:${process.env["PATH"]}` } };
  };
const fakeClaude =
  (text: string): Make =>
  async (one) => {
    const bin = path.join(one.out, "c");
    await fs.writeFile(bin, text, { mode: 0o755 });
    return { env: { MMM_CLAUDE_BIN: bin } };
  };
const lock = (holder: object): Make =>
  file(".mmm/session.lock", JSON.stringify({ host: hostname(), session: "other", ...holder }));
const config = (text: string): Make => file(".mmm/config.yml", text);
const state = (text: string): Make => file(".mmm/state.json", text);
/** Belongs to nobody but for `closed`, which nobody may use as `mode` says. */
const nobody =
  (closed: string, mode: number, make?: Make): Make =>
  async (one) => {
    await make?.(one);
    spawnSync("chown", ["-R", "65534:65534", "repo", "home", "out"], { cwd: one.repo.base });
    await fs.chmod(one.repo.base, 0o755);
    await fs.chmod(path.resolve(one.repo.root, closed), mode);
    return asNobody;
  };
const identity = {
  GIT_AUTHOR_NAME: "x",
  GIT_AUTHOR_EMAIL: "x@x",
  GIT_COMMITTER_NAME: "x",
  GIT_COMMITTER_EMAIL: "x@x",
};
/** `.mmm` on a file system of 200 KB, in a mount namespace of its own. */
const smallDisk: Make = async (one) => {
  await fs.mkdir(at(one, ".mmm"));
  const text = 'mount -t tmpfs -o size=200k none .mmm && exec "$@"';
  return { around: `exec unshare -m sh -c '${text}' sh "$@"` };
};
const canMount =
  isRoot && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
const hello = ["cook", "hello.yml"];
const many = ["cook", "many.yml"];

const places: Readonly<Record<string, Place>> = {
  // where it is started
  "a directory that is gone": {
    code: 3,
    make: around('mkdir ../x && cd ../x && rmdir ../x && exec "$@"'),
  },
  "a directory that is gone, without a playbook": {
    args: ["cook"],
    code: 3,
    make: around('mkdir ../x && cd ../x && rmdir ../x && exec "$@"'),
  },
  "a directory that is gone, and --path": {
    args: ["cook", "default"],
    code: 2,
    make: async (one) => ({
      around: `mkdir ../x && cd ../x && rmdir ../x && exec "$@" --path '${at(one)}'`,
    }),
    says: /mmm init/,
  },
  "a playbook that comes and goes": {
    args: ["cook", "p.yml", "--allow-dirty"],
    code: 0,
    make: around('"$@"; rm p.yml'),
  },
  "a playbook that nobody may read": {
    code: 2,
    make: nobody("p.yml", 0),
    says: /cannot read p\.yml/,
    needsRoot: true,
  },
  "no HOME": { code: 0, make: env({ HOME: undefined, ...identity }) },
  "a HOME that is a file": {
    code: 0,
    make: async (one) => ({ env: { HOME: at(one, "p.yml"), ...identity } }),
  },
  "a HOME that cannot be written": { code: 0, make: nobody("../home", 0o555), needsRoot: true },
  "no TMPDIR": { code: 0, make: env({ TMPDIR: "/nonexistent/tmp" }) },
  "an odd locale": { code: 0, make: env({ LC_ALL: "zz_ZZ.nonsense", LANG: "x" }) },
  "an empty environment": { code: 3, make: around('exec env -i "$@"') },
  // .mmm
  ".mmm is a file": { code: 3, make: committed(file(".mmm", "x")), says: /\.mmm/ },
  ".mmm is a link to nowhere": {
    code: 3,
    make: committed(async (one) => fs.symlink("/nonexistent/mmm", at(one, ".mmm"))),
    says: /\.mmm/,
  },
  ".mmm/sessions is a file": { code: 3, make: file(".mmm/sessions", "x"), says: /sessions/ },
  ".mmm/sessions cannot be written": {
    code: 3,
    make: nobody(".mmm/sessions", 0o555, folder(".mmm/sessions")),
    says: /sessions/,
    needsRoot: true,
  },
  "a repository that cannot be written": { code: 3, make: nobody(".", 0o555), needsRoot: true },
  "a damaged state.json": { code: 0, make: state("{"), says: /damaged/ },
  "an empty state.json": { code: 0, make: state(""), says: /damaged/ },
  "a state.json of other types": {
    code: 0,
    make: state('{"version":1,"total_runs":"many","running":7}'),
    says: /damaged/,
  },
  "a state.json with odd names": {
    code: 0,
    make: state(
      '{"version":1,"total_runs":1,"running":[null,{}],"last_session":3,"__proto__":{"x":1}}',
    ),
  },
  "a state.json from the future": {
    code: 3,
    make: state('{"version":99,"total_runs":1,"running":[]}'),
    says: /version 99/,
  },
  "a state.json of 20 MB": {
    code: 0,
    make: state(`[${"1,".repeat(10_000_000)}1]`),
    says: /damaged/,
  },
  "a state.json that is a folder": { code: 0, make: folder(".mmm/state.json"), says: /damaged/ },
  "a state.json that is a pipe": { code: 0, make: fifo(".mmm/state.json"), says: /damaged/ },
  "a live session in this tree": {
    code: 3,
    make: async (one) => {
      const stat = await fs.readFile(`/proc/${process.pid}/stat`, "utf8");
      const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
      return lock({ pid: process.pid, start, since: `now${forGood}` })(one);
    },
    says: /another session is at work/,
  },
  "a stale lock": { code: 0, make: lock({ pid: 2 ** 22 + 1, start: "1" }), says: /stale lock/ },
  "a lock with a wild pid": {
    code: 0,
    make: lock({ pid: -1.5e99, start: "1" }),
    says: /stale lock/,
  },
  "a lock with the pid of a group": {
    code: 0,
    make: lock({ pid: 0, start: "1" }),
    says: /stale lock/,
  },
  "a lock of noise": {
    code: 0,
    make: file(".mmm/session.lock", '{"pid": "x"'),
    says: /stale lock/,
  },
  "a lock that is a folder": {
    code: 3,
    make: file(".mmm/session.lock/x", "y"),
    says: /session\.lock/,
  },
  "a lock that is a pipe": { code: 0, make: fifo(".mmm/session.lock"), says: /stale lock/ },
  // config
  "a config with an unknown key": {
    code: 2,
    make: config("cloude: {}\n"),
    says: /config\.yml:1:1/,
  },
  "a config with an unknown key below": {
    code: 2,
    make: config("claude: {modell: x}\n"),
    says: /config\.yml:1:10/,
  },
  "a config that is a list": { code: 2, make: config("- claude\n"), says: /config\.yml:1:1/ },
  "a config that is a text": { code: 2, make: config("hello\n"), says: /config\.yml:1:1/ },
  "a config with a number for a text": {
    code: 2,
    make: config("claude: {bin: 7}\n"),
    says: /config\.yml:1:15/,
  },
  "a config with a list for a text": {
    code: 2,
    make: config("claude: {model: [a]}\n"),
    says: /config\.yml:1:17/,
  },
  "a config with a mapping for a list": {
    code: 2,
    make: config("claude: {allowed_tools: {Bash: true}}\n"),
    says: /config\.yml:1:25/,
  },
  "a config with a permission mode nobody knows": {
    code: 2,
    make: config("claude: {permission_mode: yolo}\n"),
    says: /config\.yml:1:27/,
  },
  "a config of broken YAML": { code: 2, make: config("claude: {\n"), says: /config\.yml:\d+:\d+/ },
  "a config with a key twice": {
    code: 2,
    make: config("claude: {}\nclaude: {}\n"),
    says: /config\.yml:2:1/,
  },
  "a config of two documents": {
    code: 2,
    make: config("claude: {}\n---\nclaude: {}\n"),
    says: /config\.yml:/,
  },
  "a config with __proto__": {
    code: 2,
    make: config("__proto__: {bin: x}\n"),
    says: /config\.yml:1:1/,
  },
  "a config with an alias to nothing": {
    code: 2,
    make: config("claude: *x\n"),
    says: /config\.yml:/,
  },
  "a config with a key that is a list": {
    code: 2,
    make: config("? [a]\n: b\n"),
    says: /config\.yml:/,
  },
  "a config of bytes": { code: 2, make: config("\0\u0001"), says: /config\.yml/ },
  "a config with a mode that sets titles": {
    code: 2,
    make: config('"\\e[2J": 1\n'),
    says: /config\.yml/,
  },
  "an empty config": { code: 0, make: config("\n") },
  "a config that is a folder": { code: 2, make: folder(".mmm/config.yml"), says: /config\.yml/ },
  "a config that is a pipe": { code: 2, make: fifo(".mmm/config.yml"), says: /config\.yml/ },
  "a config that nobody may read": {
    code: 2,
    make: nobody(".mmm/config.yml", 0, config("claude: {}\n")),
    says: /config\.yml/,
    needsRoot: true,
  },
  // commands
  "commands that are a file": {
    args: ["cook", "c.yml"],
    code: 2,
    make: file(".claude/commands", "x"),
    says: /mmm init/,
  },
  "commands that are a loop and a pipe": {
    args: ["cook", "c.yml"],
    code: 2,
    make: async (one) => {
      await fifo(".claude/commands/mmm-lint.md")(one);
      await fs.symlink(".", at(one, ".claude/commands/again"));
    },
    says: /mmm init/,
  },
  "init where .claude is a file": {
    args: ["init"],
    code: 3,
    make: file(".claude", "x"),
    says: /\.claude/,
  },
  "init where a command is a folder": {
    args: ["init"],
    code: 3,
    make: folder(".claude/commands/mmm-lint.md"),
    says: /mmm-lint/,
  },
  "init where a command is a pipe": {
    args: ["init"],
    code: 3,
    make: fifo(".claude/commands/mmm-lint.md"),
    says: /mmm-lint/,
  },
  "init where nothing can be written": {
    args: ["init"],
    code: 3,
    make: nobody(".", 0o555),
    needsRoot: true,
  },
  // git
  "no git on PATH": {
    code: 3,
    make: async (one) => ({ env: { PATH: one.out } }),
    says: /git could not be started/,
  },
  "a git that is too old": {
    code: 3,
    make: fakeGit("#!/bin/sh\necho git version 2.17.1\n"),
    says: /2\.31 or newer/,
  },
  "a git that is something else": {
    code: 3,
    make: fakeGit("#!/bin/sh\necho 'he\u001b[2Jllo'\n"),
    says: /2\.31 or newer/,
  },
  "a git that crashes": { code: 3, make: fakeGit("#!/bin/sh\nkill -SEGV $$\n"), says: /git/ },
  "no repository": {
    code: 3,
    make: async (one) => fs.rm(at(one, ".git"), { recursive: true }),
    says: /not in a git repository/,
  },
  "a .git of noise": {
    code: 3,
    make: async (one) => {
      await fs.rm(at(one, ".git"), { recursive: true });
      await one.repo.write(".git", "noise");
    },
    says: /git/,
  },
  "a HEAD of noise": { code: 3, make: file(".git/HEAD", "noise") },
  "a damaged index": { code: 3, make: file(".git/index", "noise"), says: /index/ },
  "a config of git that is broken": { code: 3, make: file(".git/config", "[["), says: /config/ },
  "a bare repository": { code: 3, make: git("config", "core.bare", "true"), says: /bare/ },
  "the inside of .git": {
    args: ["cook", "../p.yml"],
    code: 3,
    make: async (one) => ({ cwd: at(one, ".git") }),
    says: /git directory/,
  },
  "no commit yet": {
    code: 3,
    make: async (one) => {
      await one.repo.git("checkout", "-q", "--orphan", "new");
    },
    says: /no commit yet/,
  },
  "a detached HEAD": { code: 0, make: git("checkout", "-q", "--detach") },
  "a merge under way": {
    code: 3,
    make: async (one) => one.repo.write(".git/MERGE_HEAD", await one.repo.git("rev-parse", "HEAD")),
    says: /merge is under way/,
  },
  "no identity": {
    code: 3,
    make: async (one) => {
      await one.repo.git("config", "--global", "--remove-section", "user");
      await one.repo.git("config", "user.useConfigOnly", "true");
    },
    says: /user\.name/,
  },
  "a dirty tree": { code: 3, make: file(`a${forGood}b`, "x"), says: /git stash -u/ },
  "a repository of somebody else": {
    code: 3,
    make: async (one) => {
      spawnSync("chown", ["-R", "12345:12345", at(one)]);
    },
    says: /belongs to another user/,
    needsRoot: true,
  },
  // values on the command line
  "--args of 120 KB": { args: ["cook", "arg.yml", "--args", "x".repeat(120_000)], code: 0 },
  "--args of 120 KB in Chinese": {
    args: ["cook", "arg.yml", "--args", "字".repeat(40_000)],
    code: 0,
  },
  "--args of 99 KB in Chinese": {
    args: ["cook", "arg.yml", "--args", "字".repeat(33_000)],
    code: 0,
  },
  "--args of control characters": {
    args: ["cook", "arg.yml", "--args", "\u0001\u001b[2J\\0".repeat(15_000)],
    code: 0,
  },
  "--path with spaces, umlauts and a tilde inside": {
    args: ["cook", "p.yml", "--path", "a b/ü~"],
    code: 0,
    make: committed(file("a b/ü~/x", "y")),
  },
  // where it writes
  "a closed stdout": { code: 0, make: around('exec "$@" >&-') },
  "a closed stdout and stderr": { code: 0, make: around('exec "$@" >&- 2>&-') },
  "a closed stdin, stdout and stderr": { code: 0, make: around('exec "$@" <&- >&- 2>&-') },
  "a reader that goes away": {
    args: many,
    code: 0,
    make: around('{ "$@"; echo $? >../code; } | head -1; exit "$(cat ../code)"'),
  },
  "a reader of JSON that goes away": {
    args: [...many, "--reporter", "json"],
    code: 0,
    make: around('{ "$@"; echo $? >../code; } | head -1; exit "$(cat ../code)"'),
  },
  "a full stdout": { args: many, code: 0, make: around('exec "$@" >/dev/full') },
  "128 open files": { args: many, code: 0, make: around('ulimit -n 128; exec "$@"') },
  "a full disk": {
    args: ["cook", "big.yml"],
    code: 3,
    make: smallDisk,
    says: /disk is full|free some space/,
    needsMount: true,
  },
  "a failed step that leaves a folder nobody may write": {
    args: ["cook", "stuck.yml"],
    code: 3,
    make: nobody("p.yml", 0o644),
    says: /cannot take back stuck\/x/,
    needsRoot: true,
  },
  "a step that writes what nobody may read": {
    args: ["cook", "secret.yml"],
    code: 1,
    make: nobody("p.yml", 0o644),
    says: /secret/,
    needsRoot: true,
  },

  // claude
  "a claude that is not there": {
    args: hello,
    code: 3,
    make: env({ MMM_CLAUDE_BIN: "/nonexistent/claude" }),
    says: /\/nonexistent\/claude/,
  },
  "a claude that is a folder": {
    args: hello,
    code: 3,
    make: async (one) => ({ env: { MMM_CLAUDE_BIN: one.out } }),
    says: /out/,
  },
  "a claude that cannot be run": {
    args: hello,
    code: 3,
    make: async (one) => ({ env: { MMM_CLAUDE_BIN: at(one, "p.yml") } }),
    says: /p\.yml/,
  },
  "a claude without its interpreter": {
    args: hello,
    code: 3,
    make: fakeClaude("#!/nonexistent/sh\n"),
    says: /claude|out/,
  },
  "a claude that floods and fails": {
    args: hello,
    code: 1,
    make: fakeClaude(
      '#!/bin/sh\n[ "$1" = --version ] && exit 0\nhead -c 3000000 /dev/urandom; exit 9\n',
    ),
  },
  "a claude that ends itself": {
    args: hello,
    code: 1,
    make: fakeClaude('#!/bin/sh\n[ "$1" = --version ] || kill -9 $$\n'),
  },
  // recordings
  "a recording of noise": { args: [...hello, "--replay", "p.yml"], code: 2, says: /p\.yml/ },
  "a recording that is a folder": { args: [...hello, "--replay", ".git"], code: 2, says: /\.git/ },
  "a recording that is not there": { args: [...hello, "--replay", "nope"], code: 2, says: /nope/ },
  "a recording that is a pipe": {
    args: [...hello, "--replay", "../out/f"],
    code: 2,
    make: fifo("../out/f"),
    says: /out\/f/,
  },
  "a recording where nothing can be": {
    args: [...hello, "--record", "p.yml/x"],
    code: 3,
    says: /p\.yml\/x/,
  },
  // steps that pull the ground away
  "a step that removes the repository": { args: ["cook", "destroy.yml"], code: 3 },
  "a step that removes .mmm": { args: ["cook", "forget.yml"], code: 3, says: /\.mmm/ },
  "a step that removes its directory": {
    args: ["cook", "rmdir.yml", "--path", "sub"],
    code: 1,
    make: committed(file("sub/x", "y")),
  },
};

const possible = Object.entries(places).filter(
  ([, place]) => (place.needsRoot !== true || isRoot) && (place.needsMount !== true || canMount),
);

test.each(possible)(
  "%s is told in a line, with a code of the table (spec 1.1)",
  async (_, place) => {
    rig = await makeRig({
      files: {
        "p.yml": '- shell: "true"\n',
        "arg.yml": '- shell: "printf %s $ARG >/dev/null"\n- claude: "say $ARG"\n',
        "c.yml": '- "/mmm-lint"\n',
        "hello.yml": '- claude: "say hello"\n',
        "many.yml": '- shell: "true"\n'.repeat(60),
        "big.yml": '- shell: "yes | head -c 1000000"\n'.repeat(3),
        "stuck.yml": '- shell: "mkdir stuck; echo x > stuck/x; chmod 555 stuck; exit 1"\n',
        "secret.yml": '- shell: "echo x > secret; chmod 000 secret"\n',
        "destroy.yml": '- shell: "rm -rf .git"\n- shell: "true"\n',
        "forget.yml": '- shell: "rm -rf .mmm"\n- shell: "echo x"\n',
        "rmdir.yml": '- shell: "rm -rf ../sub"\n- shell: "true"\n',
      },
    });
    const run = await place.make?.(rig);

    const ran = await rig.mmm(place.args ?? ["cook", "p.yml"], {
      deadlineMs: 100_000,
      ...run,
    });

    expectDecent(ran, [place.code]);
    if (place.says !== undefined) expect(ran.stdout + ran.stderr).toMatch(place.says);
    expect(ran.stdout + ran.stderr).not.toContain(forGood);
  },
);
