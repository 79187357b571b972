/**
 * The real Claude CLI (the pinned devDependency, or what MMM_TEST_CLAUDE_BIN names: `npm run test:native`) against a scripted API, with an empty HOME and, where the
 * machine allows it, in a network namespace that has nothing but its loopback.
 *
 *     const claude = await realClaude({ turns: [{ text: "hi" }] });
 *     ... MMM_CLAUDE_BIN=claude.bin (needs nothing in the environment)
 *     await claude.requests();
 *     await claude.dispose();
 *
 * It runs as whoever runs the tests. To root the CLI refuses --dangerously-skip-permissions, so give
 * `permission_mode: acceptEdits` and `allowed_tools: [Bash]`.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { startStandIn, type StandInRequest, type StandInScript } from "./api-stand-in.ts";

export interface RealClaude {
  /** Absolute path of an executable that is the CLI, with the environment it needs. */
  readonly bin: string;
  /** Its HOME. */
  readonly home: string;
  /** Is the CLI cut off from the network, or only told to stay away from it? */
  readonly isolated: boolean;
  requests(): Promise<readonly StandInRequest[]>;
  dispose(): Promise<void>;
}

const pinned = fileURLToPath(
  new URL("../../node_modules/@anthropic-ai/claude-code/cli.js", import.meta.url),
);

/** Another generation of the CLI: an absolute path, of a script for node or of a program. */
const cli = process.env["MMM_TEST_CLAUDE_BIN"] ?? pinned;
const program = /\.[cm]?js$/.test(cli) ? [process.execPath, cli] : [cli];

/** Is it a version after 2.1.112, which are native and count on over a resumed conversation? */
export const isNative = program.length === 1;

/** Its own, so that nothing of the machine's settings, proxies or keys is used. */
const FOREIGN =
  "^(CLAUDE|ANTHROPIC|AWS|GOOGLE|VERTEX|DISABLE_|OTEL_|NODE_OPTIONS$|.*_(proxy|PROXY)$)";

export async function realClaude(script: StandInScript): Promise<RealClaude> {
  const directory = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), "mmm-real-claude-")));
  const [home, temporary] = [path.join(directory, "home"), path.join(directory, "tmp")];
  await fs.mkdir(home);
  await fs.mkdir(temporary);
  const namespace = await networkNamespace();
  const standIn = await startStandIn(script, { directory, launcher: namespace?.create ?? [] });
  const variables = {
    HOME: home,
    TMPDIR: temporary,
    CLAUDE_CODE_TMPDIR: temporary,
    ANTHROPIC_BASE_URL: standIn.url,
    ANTHROPIC_API_KEY: "test-key",
    CLAUDE_CODE_MAX_RETRIES: "0",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_ERROR_REPORTING: "1",
    NO_PROXY: "127.0.0.1",
  };
  const bin = path.join(directory, "claude");
  const command = [...(namespace?.enter(standIn.pid) ?? []), ...program];
  await fs.writeFile(
    bin,
    [
      "#!/bin/sh",
      `for name in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p' | grep -E '${FOREIGN}'); do unset "$name"; done`,
      ...Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`),
      `exec ${command.map(quote).join(" ")} "$@"`,
      "",
    ].join("\n"),
    { mode: 0o755 },
  );

  return {
    bin,
    home,
    isolated: namespace !== null,
    requests: () => standIn.requests(),
    dispose: async () => {
      await standIn.stop();
      await fs.rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Namespace {
  /** Put before a command: runs it (as the same process) in a new namespace with loopback up. */
  readonly create: readonly string[];
  /** Put before a command: runs it in the namespace of a process. */
  enter(pid: number): readonly string[];
}

const UP = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"];

const KINDS: readonly Namespace[] = [
  {
    create: ["unshare", "--net", ...UP],
    enter: (pid) => ["nsenter", `--target=${pid}`, "--net"],
  },
  {
    // Without root: in a user namespace that keeps the user's id.
    create: ["unshare", "--net", "--user", "--map-current-user", "--keep-caps", ...UP],
    enter: (pid) => ["nsenter", `--target=${pid}`, "--user", "--net", "--preserve-credentials"],
  },
];

/** What this machine allows, tried out; `null`: nothing of it. */
async function networkNamespace(): Promise<Namespace | null> {
  for (const kind of KINDS) {
    const holder = spawn("env", [...kind.create, "sh", "-c", "echo ready && exec cat"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const gone = once(holder, "close");
    const ready = await Promise.race([
      once(holder.stdout, "data").then(() => true),
      gone.then(() => false),
      once(holder, "error").then(() => false),
    ]).catch(() => false);
    const [enter = "", ...rest] = kind.enter(holder.pid ?? 0);
    const works = ready && spawnSync(enter, [...rest, "true"]).status === 0;
    holder.stdin.on("error", () => undefined).end();
    if (works) {
      await gone;
      return kind;
    }
  }
  return null;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
