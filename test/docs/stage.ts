/** A repository in which everything that the documents show can be typed. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fakeClaude, type FakeCall } from "../support/fake-claude.ts";
import { mainFile, packageRoot } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

export interface Stage {
  readonly repo: TempRepo;
  /** With `mmm`, `claude` and stand-ins for build tools on PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** What Claude was asked so far. */
  readonly prompts: () => Promise<readonly string[]>;
  dispose(): Promise<void>;
}

/** One run of every file output that the documents ask for, committed. */
const CLAUDE = `
mkdir -p specs/temp
for kind in improvements coverage-improvements security; do
  date +%s%N > "specs/temp/iteration-1-$kind.md"
done
git add specs
git commit -q -m "claude: specs"
`;

const PLAYBOOKS = {
  "playbooks/review.yml": '- claude: "/mmm-code-review"\n',
  "playbooks/demo.yml": '- claude: "/mmm-code-review"\n- shell: "true"\n',
  "playbooks/coverage.yml": '- claude: "/mmm-analyze-coverage"\n- shell: "true"\n',
  "playbooks/failing.yml": '- shell: "exit 3"\n',
  "playbooks/broken.yml": '- shel: "true"\n',
  "playbooks/misspelt.yml": '- claude: "/mmm-code-reviw"\n',
};

/** Tools that the documents' shell steps call. */
const TOOLS = ["npm", "make", "cargo"];

/** Does nothing, and does it well; under `FAILS_ONCE=FILE` the tests fail the first time. */
const TOOL = `
echo "$(basename "$0") $*"
if [ "$1" = test ] && [ -n "\${FAILS_ONCE:-}" ] && [ ! -e "$FAILS_ONCE" ]; then
  touch "$FAILS_ONCE"
  echo "1 test fails: sum"
  exit 1
fi
if [ "$*" = "run coverage" ]; then
  mkdir -p coverage
  printf 'SF:a.js\\nDA:1,1\\nend_of_record\\n' > coverage/lcov.info
fi
`;

export async function makeStage(): Promise<Stage> {
  const folder = path.join(packageRoot, "commands");
  const commands = Object.fromEntries(
    readdirSync(folder).map((file) => [
      `.claude/commands/${file}`,
      readFileSync(path.join(folder, file), "utf8"),
    ]),
  );
  const repo = await makeRepo({
    "README.md": "hello\n",
    "site/index.html": "<p>hello</p>\n",
    "specs/65-cook.md": "# Cook\n",
    ...PLAYBOOKS,
    ...commands,
  });
  const answer = (result: string): FakeCall => ({
    times: "always",
    do: [{ init: {} }, { run: ["sh", "-c", CLAUDE] }, { result: { result } }],
  });
  const claude = await fakeClaude({
    calls: [
      { prompt: "/mmm-code-review", ...answer('{"issues_found": 1, "critical_found": 0}') },
      { prompt: "/mmm-analyze-health", ...answer('{"health_score": 72, "weakest": "tests"}') },
      answer("82"),
    ],
  });
  const bin = path.join(repo.base, "bin");
  mkdirSync(bin);
  for (const tool of TOOLS) program(path.join(bin, tool), TOOL);
  program(path.join(bin, "mmm"), `exec "${process.execPath}" "${mainFile}" "$@"`);
  symlinkSync(process.execPath, path.join(bin, "node"));
  const env = {
    ...repo.env,
    PATH: [bin, claude.directory, repo.env["PATH"] ?? ""].join(path.delimiter),
    // The tests may run as root, to whom the real CLI refuses the default flag.
    IS_SANDBOX: "1",
    DEPLOY_TOKEN: "token-of-the-documents",
  };
  writeFileSync(path.join(repo.env["HOME"] ?? "", ".signing-key"), "key of the documents\n");
  return {
    repo,
    env,
    prompts: async () => (await claude.calls()).map(({ prompt }) => prompt),
    dispose: async () => {
      await claude.dispose();
      await repo.dispose();
    },
  };
}

/** A stand-in for a program that this machine may not have. */
export function program(file: string, script: string): void {
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}
