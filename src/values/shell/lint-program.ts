/** Programs that read an argument, or their standard input, as program text. The table may grow. */

/** `-c` takes shell text, wherever in the words they stand (find -exec, docker exec, sudo). */
export const SHELLS: ReadonlySet<string> = new Set([
  "sh",
  "bash",
  "dash",
  "ash",
  "ksh",
  "mksh",
  "zsh",
  "fish",
  "busybox",
]);

/** `-c` or `--command` takes shell text, anywhere after the name. */
export const SHELL_STARTERS: ReadonlySet<string> = new Set([
  "su",
  "flock",
  "script",
  "runuser",
  "npx",
]);

/** Every argument is shell text. */
export const EVALUATORS: ReadonlySet<string> = new Set([
  "eval",
  "alias",
  "watch",
  "parallel",
  "compgen",
  "complete",
]);

/** Commands that run the command in their operands: options that take an argument, and operands before the command. */
export const PREFIXES: ReadonlyMap<string, { readonly takes: string; readonly operands: number }> =
  new Map([
    ["env", { takes: "u C S", operands: 0 }],
    ["sudo", { takes: "u g h p C r t U D R T", operands: 0 }],
    ["doas", { takes: "u C", operands: 0 }],
    ["exec", { takes: "a", operands: 0 }],
    ["command", { takes: "", operands: 0 }],
    ["builtin", { takes: "", operands: 0 }],
    ["nohup", { takes: "", operands: 0 }],
    ["setsid", { takes: "", operands: 0 }],
    ["time", { takes: "o f", operands: 0 }],
    ["timeout", { takes: "s k", operands: 1 }],
    ["xargs", { takes: "n I P L d E s a", operands: 0 }],
    ["nice", { takes: "n", operands: 0 }],
    ["ionice", { takes: "c n", operands: 0 }],
    ["stdbuf", { takes: "i o e", operands: 0 }],
    ["chroot", { takes: "", operands: 1 }],
  ]);

/** Run a command in another place; a shell without a script among their words reads standard input. */
export const RUNNERS: ReadonlySet<string> = new Set([
  "docker",
  "podman",
  "kubectl",
  "nsenter",
  "ssh",
  "find",
  "lxc",
  "flock",
  "su",
]);

export interface Language {
  readonly name: RegExp;
  /** Last letter of the option whose argument is program text. */
  readonly code: string;
  /** Long forms of it. */
  readonly long: readonly string[];
  /** Options with an argument that is not program text. */
  readonly takes: readonly string[];
  /** Options may follow operands. */
  readonly mixed: boolean;
  readonly instead: string;
}

const OWN_ENVIRONMENT = (how: string): string => `pass it through the environment: ${how}`;

export const LANGUAGES: readonly Language[] = [
  {
    name: /^python[\d.]*$|^pypy3?$/,
    code: "c",
    long: [],
    takes: ["-W", "-X"],
    mixed: false,
    instead: OWN_ENVIRONMENT(`X="…" python3 -c '… os.environ["X"] …'`),
  },
  {
    name: /^(?:node|nodejs|bun|deno|tsx)$/,
    code: "ep",
    long: ["--eval", "--print"],
    takes: ["-r", "--require", "--import", "-C"],
    mixed: false,
    instead: OWN_ENVIRONMENT(`X="…" node -e '… process.env.X …'`),
  },
  {
    name: /^perl[\d.]*$/,
    code: "eE",
    long: [],
    takes: ["-I", "-M"],
    mixed: false,
    instead: OWN_ENVIRONMENT("$ENV{X}"),
  },
  {
    name: /^ruby[\d.]*$/,
    code: "e",
    long: [],
    takes: ["-I", "-r", "-C"],
    mixed: false,
    instead: OWN_ENVIRONMENT('ENV["X"]'),
  },
  {
    name: /^php[\d.]*$/,
    code: "rBRE",
    long: ["--run"],
    takes: ["-d", "-c"],
    mixed: false,
    instead: OWN_ENVIRONMENT('getenv("X")'),
  },
  {
    name: /^lua[\d.]*$/,
    code: "e",
    long: [],
    takes: ["-l"],
    mixed: false,
    instead: OWN_ENVIRONMENT('os.getenv("X")'),
  },
  {
    name: /^(?:Rscript|osascript)$/,
    code: "e",
    long: [],
    takes: ["-l"],
    mixed: true,
    instead: "give it as an argument of a script",
  },
  {
    name: /^psql$/,
    code: "c",
    long: ["--command"],
    takes: [],
    mixed: true,
    instead: `psql -v x="…" with :'x' in a file or on standard input`,
  },
  {
    name: /^(?:mysql|mariadb)$/,
    code: "e",
    long: ["--execute"],
    takes: [],
    mixed: true,
    instead: "put the statement in a file and quote the value there",
  },
];

/** The first operand is program text, unless an option gave it. */
export interface Filterer {
  readonly name: RegExp;
  readonly takes: readonly string[];
  readonly takesTwo: readonly string[];
  /** Options whose argument is program text. */
  readonly code: readonly string[];
  /** Options that name a program file. */
  readonly file: readonly string[];
  readonly operand: number;
  readonly instead: string;
}

export const FILTERERS: readonly Filterer[] = [
  {
    name: /^[gmn]?awk$/,
    takes: ["-F", "-v"],
    takesTwo: [],
    code: ["-e", "--source"],
    file: ["-f", "--file"],
    operand: 0,
    instead: `pass it through the environment: X="…" awk '… ENVIRON["X"] …'`,
  },
  {
    name: /^g?sed$/,
    takes: ["-l"],
    takesTwo: [],
    code: ["-e", "--expression"],
    file: ["-f", "--file"],
    operand: 0,
    instead: "sed has no variables: use awk with ENVIRON",
  },
  {
    name: /^(?:jq|gojq|yq)$/,
    takes: ["--indent", "-L"],
    takesTwo: ["--arg", "--argjson", "--slurpfile", "--rawfile"],
    code: [],
    file: ["-f", "--from-file"],
    operand: 0,
    instead: `give it as a variable: jq --arg x "…" '… $x …'`,
  },
  {
    name: /^sqlite3$/,
    takes: ["-separator", "-newline", "-init", "-cmd"],
    takesTwo: [],
    code: [],
    file: [],
    operand: 1,
    instead: `use .parameter set in a file`,
  },
];

/** ssh options with an argument. */
export const SSH_TAKES = "-p -i -l -F -J -L -R -D -b -c -E -e -I -m -O -Q -S -W -w -B".split(" ");

/** Builtins whose operands are names of variables. */
export const NAME_TAKERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["read", ["-p", "-d", "-n", "-N", "-t", "-u", "-i"]],
  ["unset", []],
  ["export", []],
  ["readonly", []],
  ["declare", []],
  ["local", []],
  ["typeset", []],
  ["getopts", []],
  ["mapfile", ["-d", "-n", "-O", "-s", "-t", "-u", "-C", "-c"]],
  ["readarray", ["-d", "-n", "-O", "-s", "-t", "-u", "-C", "-c"]],
]);

/** Arguments of these are never taken for options. */
export const NO_OPTIONS: ReadonlySet<string> = new Set([
  "echo",
  "printf",
  "[",
  "test",
  "[[",
  ":",
  "true",
  "false",
  "return",
  "exit",
]);

/** Variables whose value a shell or a program evaluates: integers of bash, prompts, start files, commands. */
export const EVALUATED_NAMES: ReadonlySet<string> = new Set(
  "RANDOM SRANDOM HISTCMD OPTIND SECONDS LINENO PS0 PS1 PS2 PS4 PROMPT_COMMAND BASH_ENV ENV EDITOR VISUAL PAGER GIT_EDITOR GIT_PAGER GIT_SSH_COMMAND LESSOPEN".split(
    " ",
  ),
);
