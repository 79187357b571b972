/** A row for each key of the language: steps that show that it does something, wherever they stand. */
import type { keyDocs } from "../../src/playbook/key-docs.ts";
import type { Event } from "../../src/engine/events.ts";
import type { SessionOutcome } from "../../src/engine/session.ts";
import type { FakeWorld, PlayOptions } from "../support/fake-ports.ts";

export type Json = string | number | boolean | null | readonly Json[] | Mapping;
export interface Mapping {
  readonly [key: string]: Json;
}

/** Where the steps of a row stand. */
export const PLACES = ["top", "on_failure", "on_success", "on_exit_code", "do"] as const;
export type Place = (typeof PLACES)[number];

interface Seen {
  readonly world: FakeWorld;
  readonly outcome: SessionOutcome;
  readonly events: readonly Event[];
  /** The end of the step with the id `it`. */
  readonly it: Extract<Event, { type: "step-finished" }> | undefined;
}

/** What is seen when the row's key is taken out of it is something else: the test looks at that too. */
export interface PlayedRow {
  readonly steps: readonly Json[];
  readonly header?: Mapping;
  /** Header key that holds the steps. */
  readonly under?: "commands";
  readonly options?: PlayOptions;
  readonly see: (seen: Seen) => unknown;
  readonly is: unknown;
  /** Handlers are not reached by `defaults`. */
  readonly inHandlers?: unknown;
}

/** Refused before anything runs, with these words. */
interface RefusedRow {
  readonly steps: readonly Json[];
  readonly header: Mapping;
  readonly options?: PlayOptions;
  readonly refused: RegExp;
}

/** It is about what is around the engine: the test that runs the program, and words in it. */
interface ProgramRow {
  readonly file: string;
  readonly has: RegExp;
}

export type Row = PlayedRow | RefusedRow | ProgramRow;
export type KeyPlace = keyof typeof keyDocs;

const step = (shell: string, more: Mapping = {}): Mapping => ({ id: "it", shell, ...more });
const claude = (more: Mapping): Mapping => ({ id: "it", claude: { prompt: "/it", ...more } });

const file =
  (path: string) =>
  ({ world }: Seen): unknown =>
    world.files[path];
const conclusion = ({ it }: Seen): unknown => it?.conclusion;
const shellAsked =
  (key: "cwd" | "stdin" | "timeoutMs") =>
  ({ world }: Seen): unknown =>
    // Not the step around a handler, which runs again after it.
    world.asked.shell.filter(({ script }) => !script.includes("handled.txt")).at(-1)?.[key];
const claudeAsked =
  (...keys: readonly string[]) =>
  ({ world }: Seen): unknown => {
    const options = world.asked.claude.at(-1)?.options ?? {};
    return keys.map((key) => (options as Readonly<Record<string, unknown>>)[key]);
  };
const analysis =
  (key: string) =>
  ({ world }: Seen): unknown =>
    (world.asked.analysis.at(-1) as Readonly<Record<string, unknown>> | undefined)?.[key];
const prompts = ({ world }: Seen): unknown => [...new Set(world.prompts)];

/** A run that was cut short is told again: by number. */
const pauses = ({ events }: Seen): unknown => [
  ...new Map(
    events.flatMap((each) => (each.type === "retry-started" ? [[each.run, each.delayMs]] : [])),
  ).values(),
];
const iterations = ({ events }: Seen): unknown =>
  Math.max(...events.map((each) => (each.type === "iteration-started" ? each.iteration : 0)));
const figures = ({ events }: Seen): unknown =>
  events.findLast((each) => each.type === "gate-finished")?.figures;

/** Figures of a report that the steps write themselves. */
const covered = (
  before: number,
  after: number,
  gate: Mapping,
): Pick<PlayedRow, "steps" | "header"> => ({
  header: { gates: { g: { metric: { coverage: "cov.txt" }, ...gate } } },
  steps: [
    { shell: `write cov.txt ${before}` },
    step(`write cov.txt ${after}`, { validation: ["g"] }),
  ],
});
const gated = (gate: Mapping): Pick<PlayedRow, "steps" | "header" | "see"> => ({
  header: { gates: { g: gate } },
  steps: [step("print x", { validation: ["g"] })],
  see: conclusion,
});
const word = (
  name: string,
  test: string,
  before: readonly Json[] = [],
): Omit<PlayedRow, "is"> & { readonly is: string } => ({
  steps: [
    ...before,
    step("print x", { validation: { [name]: !name.startsWith("performance"), lint_clean: true } }),
  ],
  options: { project: { test, build: test, bench: test, lint: "print fine" } },
  see: conclusion,
  is: "failed",
});
const output = (
  shell: string,
  rule: Mapping,
  shown = "${it.n}",
): Pick<PlayedRow, "steps" | "see"> => ({
  steps: [step(shell, { outputs: { n: rule } }), { shell: `print 1; write got.txt ${shown}` }],
  see: file("got.txt"),
});
const retried = (shell: string, retry: Mapping): Pick<PlayedRow, "steps" | "see"> => ({
  steps: [step(shell, { retry })],
  see: pauses,
});
const option = (key: string, value: Json, name: string, is: unknown): Row => ({
  steps: [claude({ [key]: value })],
  see: claudeAsked(name),
  is: [is],
});
const usesParam = { shell: "write got.txt ${params.p}" };

export const ROWS: { readonly [P in KeyPlace]: Readonly<Record<keyof (typeof keyDocs)[P], Row>> } =
  {
    header: {
      name: {
        header: { name: "nightly" },
        steps: [step("write a.txt x")],
        see: ({ world }) => world.trailers["Mmm-Playbook"],
        is: "nightly",
      },
      description: {
        header: { description: "what it is for" },
        steps: [step("print x")],
        see: ({ events }) => events.find((each) => each.type === "session-started")?.description,
        is: "what it is for",
      },
      max_iterations: {
        header: { max_iterations: 2 },
        steps: [step("write a.txt $ITERATION")],
        see: iterations,
        is: 2,
      },
      env: {
        header: { env: { HOW: "well" } },
        steps: [step("write a.txt $HOW")],
        see: file("a.txt"),
        is: "well",
      },
      params: {
        header: { params: { p: { default: "5" } } },
        steps: [usesParam],
        see: file("got.txt"),
        is: "5",
      },
      secrets: {
        header: { secrets: { TOKEN: { env: "TOK" } } },
        options: { environment: { TOK: "hush" } },
        steps: [step("write a.txt $TOKEN")],
        see: file("a.txt"),
        is: "hush",
      },
      defaults: {
        header: { defaults: { timeout: "3s" } },
        steps: [step("print x")],
        see: shellAsked("timeoutMs"),
        is: 3000,
        inHandlers: null,
      },
      commit: {
        header: { commit: "off" },
        steps: [step("write a.txt x")],
        see: ({ world }) => world.history,
        is: ["first"],
      },
      claude: {
        header: { claude: { model: "haiku" } },
        steps: [{ id: "it", claude: "/it" }],
        see: claudeAsked("model"),
        is: ["haiku"],
      },
      limits: {
        header: { limits: { cost_usd: 0.4 } },
        steps: [{ claude: "/a" }, { id: "it", claude: "/b" }],
        see: (seen) => [prompts(seen), seen.outcome],
        is: [["/a"], { status: "suspended", stop: "limit" }],
      },
      gates: { ...gated({ shell: "need no.txt 5" }), is: "failed" },
      until: {
        header: { until: "ITERATION == 2" },
        steps: [step("write a.txt $ITERATION")],
        see: (seen) => [iterations(seen), seen.outcome.status],
        is: [2, "completed"],
      },
      worktree: { file: "test/e2e/worktree.test.ts", has: /worktree: (?:true|\{)/ },
      merge: { file: "test/e2e/worktree-steps.test.ts", has: /"merge:"/ },
      steps: { steps: [step("write a.txt x")], see: file("a.txt"), is: "x" },
      commands: { under: "commands", steps: [step("write a.txt x")], see: file("a.txt"), is: "x" },
    },
    step: {
      claude: { steps: [{ id: "it", claude: "/it now" }], see: prompts, is: ["/it now"] },
      shell: { steps: [step("write a.txt x")], see: file("a.txt"), is: "x" },
      analyze: {
        steps: [{ id: "it", analyze: {} }, { shell: "write a.txt ${it.output}" }],
        see: file("a.txt"),
        is: "analysed",
      },
      foreach: {
        steps: [{ id: "it", foreach: ["a", "b"], do: [{ shell: "write ${item}.txt $index" }] }],
        see: ({ world }) => [world.files["a.txt"], world.files["b.txt"]],
        is: ["", ""],
      },
      do: {
        steps: [{ id: "it", foreach: ["a"], do: [{ shell: "write ${index}.txt x" }] }],
        see: file("1.txt"),
        is: "x",
      },
      max_items: {
        steps: [
          {
            id: "it",
            foreach: { shell: "print a; print b" },
            max_items: 1,
            do: [{ shell: "print x" }],
          },
        ],
        see: conclusion,
        is: "failed",
      },
      name: {
        steps: [step("print x", { name: "a label" })],
        see: ({ it }) => it?.at.label,
        is: "a label",
      },
      args: {
        steps: [{ id: "it", name: "say", args: ["it", "$ITERATION"], commit_required: false }],
        see: prompts,
        is: ["/say it 1"],
      },
      id: {
        steps: [step("print x"), { shell: "write ${it.attempts}.txt x" }],
        see: file("1.txt"),
        is: "x",
      },
      condition: {
        steps: [step("print x", { condition: "1 == 2" })],
        see: conclusion,
        is: "skipped",
      },
      env: {
        steps: [step("write a.txt $HOW", { env: { HOW: "well" } })],
        see: file("a.txt"),
        is: "well",
      },
      secrets: {
        header: { secrets: { TOKEN: { env: "TOK" } } },
        options: { environment: { TOK: "hush" } },
        steps: [{ id: "it", claude: "/it", secrets: ["TOKEN"] }],
        see: ({ world }) => world.asked.claude.at(-1)?.env["TOKEN"],
        is: "hush",
      },
      working_dir: {
        steps: [step("print x", { working_dir: "sub" })],
        see: shellAsked("cwd"),
        is: "/repo/sub",
      },
      timeout: {
        steps: [step("print x", { timeout: "90s" })],
        see: shellAsked("timeoutMs"),
        is: 90_000,
      },
      retry: { ...retried("exit 1", { attempts: 2, initial_delay: 4 }), is: [4000] },
      on_failure: {
        steps: [step("need ok.txt 4", { on_failure: { shell: "write ok.txt x" } })],
        see: ({ it }) => [it?.conclusion, it?.attempts],
        is: ["succeeded", 2],
      },
      on_success: {
        steps: [step("print x", { on_success: { shell: "write ok.txt x" } })],
        see: file("ok.txt"),
        is: "x",
      },
      on_exit_code: {
        steps: [step("need ok.txt 4", { on_exit_code: { 4: { shell: "write ok.txt x" } } })],
        see: ({ it }) => [it?.conclusion, it?.attempts],
        is: ["succeeded", 2],
      },
      continue_on_error: {
        steps: [step("exit 3", { continue_on_error: true }), { shell: "write on.txt x" }],
        see: (seen) => [conclusion(seen), file("on.txt")(seen)],
        is: ["tolerated", "x"],
      },
      commit_required: {
        steps: [step("print x", { commit_required: true })],
        see: conclusion,
        is: "failed",
      },
      commit_message: {
        steps: [step("write a.txt x", { commit_message: "pass ${ITERATION}" })],
        see: ({ world }) => world.history.includes("pass 1"),
        is: true,
      },
      auto_commit: {
        steps: [step("write a.txt x", { auto_commit: false })],
        see: ({ world }) => world.history.includes("write a.txt x"),
        is: false,
      },
      outputs: { ...output("print 41", { capture: "number" }), is: "41" },
      validation: { ...gated({ shell: "need no.txt 5" }), is: "failed" },
      capture_output: {
        steps: [
          step("print hey", { capture_output: "word" }),
          { shell: "print 1; write got.txt ${word}" },
        ],
        see: file("got.txt"),
        is: "hey",
      },
      analysis: {
        steps: [step("print x", { analysis: true })],
        see: ({ world }) => world.asked.analysis.length > 0,
        is: true,
      },
    },
    claude: {
      prompt: { steps: [claude({})], see: prompts, is: ["/it"] },
      model: option("model", "haiku", "model", "haiku"),
      max_turns: option("max_turns", 3, "maxTurns", 3),
      permission_mode: option("permission_mode", "plan", "permissionMode", "plan"),
      allowed_tools: option("allowed_tools", ["Edit"], "allowedTools", ["Edit"]),
      disallowed_tools: option("disallowed_tools", "Bash", "disallowedTools", ["Bash"]),
      append_system_prompt: option(
        "append_system_prompt",
        "be brief",
        "appendSystemPrompt",
        "be brief",
      ),
      idle_timeout: option("idle_timeout", "5m", "idleTimeoutMs", 300_000),
      output_schema: option("output_schema", { type: "object" }, "outputSchema", {
        kind: "inline",
        json: '{"type":"object"}',
      }),
      continue_session: {
        steps: [{ claude: "/first" }, claude({ continue_session: true })],
        see: ({ world }) => world.resumed.at(-1)?.replace(/\d+$/, "N"),
        is: "conversation-N",
      },
    },
    shell: {
      run: { steps: [{ id: "it", shell: { run: "write a.txt x" } }], see: file("a.txt"), is: "x" },
      stdin: {
        steps: [{ id: "it", shell: { run: "print x", stdin: "pass $ITERATION" } }],
        see: shellAsked("stdin"),
        is: "pass 1",
      },
    },
    analyze: {
      max_cache_age: {
        steps: [{ id: "it", analyze: { max_cache_age: 7 } }],
        see: analysis("maxCacheAgeMs"),
        is: 7000,
      },
      force_refresh: {
        steps: [{ id: "it", analyze: { force_refresh: true } }],
        see: analysis("forceRefresh"),
        is: true,
      },
      save: { steps: [{ id: "it", analyze: { save: false } }], see: analysis("save"), is: false },
      format: {
        steps: [{ id: "it", analyze: { format: "json" } }],
        see: analysis("format"),
        is: "json",
      },
    },
    analysis: {
      max_cache_age: {
        steps: [step("print x", { analysis: { max_cache_age: 7 } })],
        see: analysis("maxCacheAgeMs"),
        is: 7000,
      },
      force_refresh: {
        steps: [step("print x", { analysis: { force_refresh: true } })],
        see: analysis("forceRefresh"),
        is: true,
      },
    },
    retry: {
      attempts: { ...retried("exit 1", { attempts: 2 }), is: [1000] },
      max_attempts: { ...retried("exit 1", { max_attempts: 2 }), is: [1000] },
      backoff: { ...retried("exit 1", { backoff: "fixed" }), is: [1000, 1000] },
      initial_delay: { ...retried("exit 1", { initial_delay: "4s" }), is: [4000, 8000] },
      max_delay: { ...retried("exit 1", { max_delay: "1500ms" }), is: [1000, 1500] },
      jitter: { ...retried("exit 1", { jitter: false }), options: { random: 0 }, is: [1000, 2000] },
      retry_on: { ...retried("exit 1", { retry_on: ["timeout"] }), is: [] },
      exit_code: { ...retried("exit 4", { retry_on: [{ exit_code: [4] }] }), is: [1000, 2000] },
      pattern: {
        ...retried("print oops; exit 4", { retry_on: [{ pattern: "/o+ps/" }] }),
        is: [1000, 2000],
      },
    },
    handler: {
      do: {
        steps: [step("need ok.txt 4", { on_failure: { do: [{ shell: "write ok.txt x" }] } })],
        see: conclusion,
        is: "succeeded",
      },
      max_attempts: {
        steps: [step("exit 4", { on_failure: { shell: "print x", max_attempts: 2 } })],
        see: ({ it }) => it?.attempts,
        is: 2,
      },
      fail_workflow: {
        steps: [step("exit 4", { on_failure: { shell: "print x", fail_workflow: false } })],
        see: conclusion,
        is: "tolerated",
      },
    },
    output: {
      file_pattern: { ...output("write a-x.md 1", { file_pattern: "*-x.md" }), is: "a-x.md" },
      all: {
        ...output("write a.md 1; write b.md 1", { file_pattern: "*.md", all: true }, "${it.n[1]}"),
        is: "a.md",
      },
      capture: { ...output("print 7 of 9", { capture: "text" }), is: "7 of 9" },
      path: { ...output('print {"a":{"b":7}}', { capture: "json", path: "$.a.b" }), is: "7" },
      pattern: {
        ...output("print v7 and 8", { capture: "text", pattern: "/and (\\d+)/" }),
        is: "8",
      },
      from: { ...output("print 1; err 9", { capture: "number", from: "stderr" }), is: "9" },
      default: { ...output("print none", { capture: "number", default: 5 }), is: "5" },
    },
    gate: {
      shell: { ...gated({ shell: "need no.txt 5" }), is: "failed" },
      expression: { ...gated({ expression: "it.output == 'y'" }), is: "failed" },
      metric: { ...gated({ metric: { shell: "print 3" }, must: "increase" }), is: "failed" },
      must: { ...covered(50, 40, { must: "decrease" }), see: conclusion, is: "succeeded" },
      tolerance: {
        ...covered(50, 49, { must: "not_regress", tolerance: "5%" }),
        see: conclusion,
        is: "succeeded",
      },
      better: {
        ...covered(50, 49, { must: "not_regress", better: "lower" }),
        see: conclusion,
        is: "succeeded",
      },
      timeout: {
        ...gated({ shell: "print x", timeout: "7s" }),
        see: shellAsked("timeoutMs"),
        is: 7000,
      },
    },
    metric: {
      shell: {
        ...gated({ metric: { shell: "print 3" }, must: "not_regress" }),
        see: figures,
        is: { before: 3, after: 3 },
      },
      coverage: {
        ...covered(50, 60, { must: "increase" }),
        see: figures,
        is: { before: 50, after: 60 },
      },
      run: {
        ...gated({ metric: { coverage: "cov.txt", run: "write cov.txt 40" }, must: "not_regress" }),
        see: figures,
        is: { before: 40, after: 40 },
      },
    },
    validation: {
      tests_pass: word("tests_pass", "need no.txt 5"),
      lint_clean: {
        ...gated({ shell: "print x" }),
        steps: [step("print x", { validation: { lint_clean: true, build_passes: true } })],
        options: { project: { lint: "exit 2", build: "print fine" } },
        is: "failed",
      },
      build_passes: word("build_passes", "need no.txt 5"),
      coverage_increased: word("coverage_increased", "write lcov.info 50"),
      performance_regression: word("performance_regression", "print fast"),
    },
    param: {
      type: {
        header: { params: { p: { type: "list" } } },
        options: { params: ["p=a", "p=b"] },
        steps: [{ shell: "write got.txt ${params.p[1]}" }],
        see: file("got.txt"),
        is: "b",
      },
      required: {
        header: { params: { p: { required: true } } },
        steps: [usesParam],
        refused: /p is required/,
      },
      default: {
        header: { params: { p: { default: "5" } } },
        steps: [usesParam],
        see: file("got.txt"),
        is: "5",
      },
      choices: {
        header: { params: { p: { choices: ["a", "b"] } } },
        options: { params: ["p=c"] },
        steps: [usesParam],
        refused: /must be one of/,
      },
      description: {
        header: { params: { p: { required: true, description: "which way" } } },
        steps: [usesParam],
        refused: /which way/,
      },
    },
    secret: {
      env: {
        header: { secrets: { TOKEN: { env: "TOK" } } },
        options: { environment: { TOK: "hush" } },
        steps: [step("write a.txt $TOKEN")],
        see: file("a.txt"),
        is: "hush",
      },
      file: { file: "test/e2e/secrets.test.ts", has: /KEY: \{file: key\.txt\}/ },
    },
    worktree: {
      copy: { file: "test/e2e/worktree.test.ts", has: /copy: / },
      link: { file: "test/e2e/worktree.test.ts", has: /link: / },
      run: { file: "test/e2e/worktree.test.ts", has: /run: / },
    },
    limits: {
      cost_usd: {
        header: { limits: { cost_usd: 0.4 } },
        steps: [{ claude: "/a" }, { id: "it", claude: "/b" }],
        see: prompts,
        is: ["/a"],
      },
      tokens: {
        header: { limits: { tokens: 3 } },
        steps: [{ claude: "/a" }, { id: "it", claude: "/b" }],
        see: prompts,
        is: ["/a"],
      },
      duration: {
        header: { limits: { duration: "1h" } },
        steps: [{ shell: "work 7200000" }, step("write a.txt x")],
        see: (seen) => [file("a.txt")(seen), seen.outcome.status],
        is: [undefined, "suspended"],
      },
    },
  };
