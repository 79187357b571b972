/**
 * The engine's world in memory: a tree with history, a shell and a Claude that speak a tiny language.
 *
 * `shell:` text (and what `claude` maps a prompt to) is a list of acts, separated by `;`:
 *
 *     write PATH WORDS   remove PATH   commit SUBJECT   back N   amend   branch NAME
 *     need PATH CODE   print WORDS   err WORDS   env NAME   exit N   fail TIMES CODE   timeout   kill   abort   work MS
 *     flood N WORD      (WORD between two times N letters x)
 *     cost USD   model NAME   over-budget   usage-limit [ISO TIME]     (of Claude; `cost unknown`)
 *     trouble CODE [transient [RETRY AFTER MS]]                        (of Claude)
 *
 * `need` fails without a file, `fail` the first TIMES runs of its text, `abort` is a Ctrl-C, `$NAME` comes from the environment.
 */
import { NO_LIMITS, type SessionLimits } from "../../src/engine/budget.ts";
import type { Event, InputValue } from "../../src/engine/events.ts";
import type { ProcessEnd } from "../../src/engine/outcome.ts";
import type {
  ClaudeReport,
  ClaudeRequest,
  CommitInfo,
  CommitOutcome,
  CommitRequest,
  FileChange,
  CoverageReading,
  Ports,
  ProjectCommands,
  ShellRequest,
  TreeChange,
  TreeLook,
  TreePoint,
} from "../../src/engine/ports.ts";
import { NO_PAST, type Past, type PastRecord, type Recorder } from "../../src/engine/lane.ts";
import { NOTHING_SPENT, type Spent } from "../../src/engine/totals.ts";
import { runSession, type SessionOutcome, type SessionRequest } from "../../src/engine/session.ts";
import type { AnalysisOptions } from "../../src/playbook/model.ts";
import { paramValues } from "../../src/playbook/param-values.ts";
import { planCondition } from "../../src/playbook/plan-condition.ts";
import { planPlaybook } from "../../src/playbook/plan.ts";
import type { PlanRequest } from "../../src/playbook/plan-request.ts";
import { renderDiagnostics } from "../../src/playbook/print.ts";
import { readPlaybook } from "../../src/playbook/read.ts";

type Files = ReadonlyMap<string, { readonly text: string; readonly written: number }>;

interface Commit extends CommitInfo {
  readonly parent: string | null;
  readonly trailers: readonly (readonly [string, string])[];
  readonly files: Files;
}

export interface WorldOptions {
  /** Prompt (or its first word) to acts; a list is used up one by one, its last entry stays. */
  readonly claude?: Readonly<Record<string, string | readonly string[]>>;
  /** Ctrl-C while mmm sleeps. */
  readonly abortAsleep?: boolean;
  /** Each throw of the dice; 1 unless said: delays are then whole. */
  readonly random?: number;
  /** What mmm's own commits end in. */
  readonly refuse?: CommitOutcome;
  /** Files that are never dirt; the tree object of a point is then never `null`. */
  readonly protectedFiles?: boolean;
  /** The project's own commands. */
  readonly project?: Partial<ProjectCommands>;
}

const PERMANENT = { transient: false, retryAfterMs: null, resetsAt: null };

interface Ran {
  readonly end: ProcessEnd;
  readonly stdout: string;
  readonly stderr: string;
  readonly both: string;
  readonly told: Told;
}

/** What Claude says of its own run. */
interface Told {
  costUsd: number | null;
  model: string;
  trouble: Extract<ClaudeReport["verdict"], { ok: false }> | null;
}

const CANCELLED = { kind: "cancelled" } as const;

/** Nothing is started after a Ctrl-C. */
function notBegun(textFile: string): ClaudeReport {
  return {
    end: CANCELLED,
    durationMs: 0,
    verdict: { ok: false, code: "cancelled", message: "stopped", next: [], ...PERMANENT },
    text: "",
    textFile,
    usage: null,
    turns: null,
    model: null,
    claudeSession: null,
    tail: "",
    warnings: [],
  };
}

const NO_COMMANDS = { test: null, lint: null, build: null, format: null, bench: null };

/** A repository with one commit that holds `README.md`. */
export class FakeWorld {
  readonly commits = new Map<string, Commit>();
  readonly points = new Map<string, Files>();
  readonly kept: string[] = [];
  readonly rollbacks: TreePoint[] = [];
  readonly prompts: string[] = [];
  /** The conversation each of these went on with. */
  readonly resumed: (string | null)[] = [];
  /** What each child was given to live, in ms. */
  readonly timeouts: (number | null)[] = [];
  /** All that each child and each analysis was asked for. */
  readonly asked = {
    claude: [] as ClaudeRequest[],
    shell: [] as ShellRequest[],
    analysis: [] as AnalysisOptions[],
  };
  /** What each run of Claude was allowed to cost, in US dollars. */
  readonly budgets: (number | null | undefined)[] = [];
  /** How long each sleep was, in ms; the clock on the wall starts at 1970. */
  readonly slept: number[] = [];
  /** Scripts that ran, with the environment they got. */
  readonly scripts: {
    readonly script: string;
    readonly env: Readonly<Record<string, string | undefined>>;
  }[] = [];
  readonly abort = new AbortController();
  readonly #options: WorldOptions;
  readonly #disk = new Map<string, string>();
  readonly #runs = new Map<string, number>();
  #files: Files = new Map();
  #head = "";
  #branch = "main";
  #clock = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.write("README.md", "hello");
    this.commit("first");
  }

  get head(): string {
    return this.#head;
  }

  /** Path to text, of the working tree. */
  get files(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#files].map(([path, { text }]) => [path, text]));
  }

  /** Subjects from the first commit to HEAD. */
  get history(): readonly string[] {
    return this.#ancestors(this.#head).map(({ subject }) => subject);
  }

  /** Of the newest commit. */
  get trailers(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.commits.get(this.#head)?.trailers ?? []);
  }

  write(path: string, text: string): void {
    this.#clock += 1;
    this.#files = new Map([...this.#files, [path, { text, written: this.#clock }]]);
  }

  commit(subject: string, trailers: Commit["trailers"] = []): Commit {
    this.#clock += 1;
    const sha = `c${this.#clock}`;
    const commit = { sha, subject, parent: this.#head || null, trailers, files: this.#files };
    this.commits.set(sha, commit);
    this.#head = sha;
    return commit;
  }

  ports(): Ports {
    return {
      clock: {
        now: () => new Date(this.slept.reduce((sum, ms) => sum + ms, 0)),
        monotonicMs: () => this.#clock,
        msUntil: (time) => Date.parse(time) - this.slept.reduce((sum, ms) => sum + ms, 0),
        sleep: async (ms) => {
          this.slept.push(ms);
          this.#clock += ms;
          if (this.#options.abortAsleep === true) this.abort.abort();
          return Promise.resolve();
        },
      },
      random: { fraction: async () => Promise.resolve(this.#options.random ?? 1) },
      shell: {
        run: async (request, signal) => {
          if (signal.aborted) return { end: CANCELLED, durationMs: 0, bytes: 0, tail: "" };
          this.asked.shell.push(request);
          this.scripts.push({ script: request.script, env: request.env });
          this.timeouts.push(request.timeoutMs);
          request.onStart?.({ pid: 1, startTime: "1" });
          const ran = this.#run(request.script, request.env);
          this.#disk.set(request.logFile, ran.both);
          if (request.splitFiles !== null) {
            this.#disk.set(request.splitFiles.stdout, ran.stdout);
            this.#disk.set(request.splitFiles.stderr, ran.stderr);
          }
          const report = { end: ran.end, durationMs: 1, bytes: ran.both.length, tail: ran.both };
          return Promise.resolve(report);
        },
      },
      claude: {
        run: async (request, signal) => {
          if (signal.aborted) return notBegun(request.logFile);
          this.asked.claude.push(request);
          this.prompts.push(request.prompt);
          this.resumed.push(request.resume?.session ?? null);
          this.budgets.push(request.maxBudgetUsd);
          request.onStart?.({ pid: 2, startTime: "1" });
          this.timeouts.push(request.timeoutMs);
          const ran = this.#run(this.#actsFor(request.prompt), request.env);
          const { end } = ran;
          this.#disk.set(request.logFile, ran.stdout);
          const { costUsd, model, trouble } = ran.told;
          const isGood = end.kind === "exited" && end.code === 0;
          const bad = trouble ?? {
            ok: false as const,
            code: "exit",
            message: "Claude failed",
            next: [],
            ...PERMANENT,
          };
          return Promise.resolve({
            end,
            durationMs: 1,
            verdict: isGood && trouble === null ? { ok: true } : bad,
            text: ran.stdout,
            textFile: request.logFile,
            usage: {
              costUsd,
              inputTokens: 1,
              outputTokens: 2,
              cacheReadTokens: 0,
              cacheWriteTokens: 0,
            },
            turns: 1,
            model,
            claudeSession: request.resume?.session ?? `conversation-${this.prompts.length}`,
            tail: ran.both,
            warnings: [],
          });
        },
      },
      tree: {
        root: "/repo",
        look: async () => Promise.resolve(this.#look()),
        mark: async () => Promise.resolve(this.#mark(this.#options.protectedFiles === true)),
        movement: async (from, to) => Promise.resolve(this.#movement(from, to)),
        commitsBetween: async (from, to) =>
          Promise.resolve(
            this.#ancestors(to).filter(
              ({ sha }) => !this.#ancestors(from).some((older) => older.sha === sha),
            ),
          ),
        filesSince: async (from) => Promise.resolve(this.#since(from)),
        sameTree: async (from) => Promise.resolve(this.#since(from).length === 0),
        commit: async (request) => Promise.resolve(this.#commitFor(request)),
        madeBefore: async ({ trailers }, from) => {
          const last = this.commits.get(this.#head);
          const ours = JSON.stringify(last?.trailers) === JSON.stringify(trailers);
          return Promise.resolve(ours && last?.parent === from ? last : null);
        },
        hasProtected: false,
        recalled: () => undefined,
        keepFailed: async () => {
          this.kept.push(JSON.stringify(this.files));
          return Promise.resolve(`refs/mmm/failed/s/${this.kept.length}`);
        },
        keepCommit: async (commit) => {
          this.kept.push(commit);
          return Promise.resolve(`refs/mmm/failed/s/${this.kept.length}`);
        },
        rollback: async (point) => {
          this.rollbacks.push(point);
          this.#head = point.head;
          this.#branch = point.branch ?? "";
          this.#files = this.#filesOf(point);
          return Promise.resolve();
        },
        snapshot: async () => Promise.resolve(this.#mark(true)),
        exists: async (path) => Promise.resolve(this.#files.has(path)),
        directoryInside: async (path) =>
          Promise.resolve(path.startsWith("..") ? null : `/repo/${path}`),
      },
      store: {
        file: (kind, unit) => `/session/${kind}/${unit}`,
        writeOutput: async (name, content) => {
          this.#disk.set(`/session/outputs/${name}`, content);
          return Promise.resolve(`/session/outputs/${name}`);
        },
        size: async (file) => Promise.resolve((this.#disk.get(file) ?? "").length),
        readPiece: async (file, from, bytes) =>
          Promise.resolve((this.#disk.get(file) ?? "").slice(from, from + bytes)),
        read: async (file) => Promise.resolve({ text: this.#disk.get(file) ?? "", exact: true }),
      },
      analysis: {
        refresh: async (options) => {
          this.asked.analysis.push(options);
          return Promise.resolve({ text: "analysed", fresh: true });
        },
        location: async () => Promise.resolve({ directory: "/ctx", available: false }),
      },
      project: {
        commands: async () => Promise.resolve({ ...NO_COMMANDS, ...this.#options.project }),
        coverage: async (file) => Promise.resolve(this.#coverage(file ?? "lcov.info")),
      },
    };
  }

  #coverage(file: string): CoverageReading {
    const found = this.#files.get(file);
    if (found === undefined) return { kind: "missing", file };
    const figure = Number(found.text);
    if (Number.isNaN(figure)) return { kind: "unreadable", file, why: "its format is not known" };
    return { kind: "read", file, figure, stamp: String(found.written) };
  }

  #look(): TreeLook {
    const changes = differences(this.commits.get(this.#head)?.files ?? new Map(), this.#files);
    return {
      head: this.#head,
      branch: this.#branch,
      changes: changes.map(({ path, status }): TreeChange => ({ path, kind: status })),
    };
  }

  #mark(always: boolean): TreePoint {
    const point = { head: this.#head, branch: this.#branch };
    if (!always && this.#look().changes.length === 0) return { ...point, tree: null };
    const tree = `t${this.points.size + 1}`;
    this.points.set(tree, this.#files);
    return { ...point, tree };
  }

  #filesOf(point: TreePoint): Files {
    const files =
      point.tree === null ? this.commits.get(point.head)?.files : this.points.get(point.tree);
    return files ?? new Map();
  }

  #since(from: TreePoint): readonly FileChange[] {
    return differences(this.#filesOf(from), this.#files);
  }

  #ancestors(sha: string): readonly Commit[] {
    const found: Commit[] = [];
    for (
      let here = this.commits.get(sha);
      here !== undefined;
      here = this.commits.get(here.parent ?? "")
    )
      found.unshift(here);
    return found;
  }

  #movement(from: TreePoint, to: TreeLook): "same" | "forward" | "backward" | "sideways" {
    if (from.branch !== to.branch) return "sideways";
    if (from.head === to.head) return "same";
    if (this.#ancestors(to.head).some(({ sha }) => sha === from.head)) return "forward";
    return this.#ancestors(from.head).some(({ sha }) => sha === to.head) ? "backward" : "sideways";
  }

  #commitFor(request: CommitRequest): CommitOutcome {
    if (this.#options.refuse !== undefined) return this.#options.refuse;
    const { sha, subject } = this.commit(request.message, request.trailers);
    return { kind: "committed", sha, subject };
  }

  #actsFor(prompt: string): string {
    const { claude = {} } = this.#options;
    const key = claude[prompt] === undefined ? (prompt.split(" ")[0] ?? "") : prompt;
    const acts = claude[key] ?? "print done";
    if (typeof acts === "string") return acts;
    const call = this.#runs.get(`call ${key}`) ?? 0;
    this.#runs.set(`call ${key}`, call + 1);
    return acts[Math.min(call, acts.length - 1)] ?? "";
  }

  #run(script: string, env: Readonly<Record<string, string | undefined>>): Ran {
    const told: Told = { costUsd: 0.5, model: "fake", trouble: null };
    const said = { stdout: "", stderr: "", both: "", told };
    const say = (stream: "stdout" | "stderr", text: string): void => {
      said[stream] += `${text}\n`;
      said.both += `${text}\n`;
    };
    const run = (this.#runs.get(script) ?? 0) + 1;
    this.#runs.set(script, run);
    for (const act of script.split(";")) {
      const [verb = "", first = "", ...rest] = act
        .trim()
        .replaceAll(/"?\$\{?(\w+)\}?"?/g, (_whole, name: string) => env[name] ?? "")
        .split(" ");
      const words = [first, ...rest].join(" ");
      if (verb === "write") this.write(first, rest.join(" "));
      else if (verb === "remove")
        this.#files = new Map([...this.#files].filter(([path]) => path !== first));
      else if (verb === "commit") this.commit(words);
      else if (verb === "need") {
        const code = this.#files.has(first) ? 0 : Number(rest[0] ?? 1);
        if (code !== 0) return { end: { kind: "exited", code }, ...said };
      } else if (verb === "back" || verb === "amend") this.#moveHead(verb, Number(first));
      else if (verb === "branch") this.#branch = first;
      else if (verb === "print") say("stdout", words);
      else if (verb === "flood") {
        const xs = "x".repeat(Number(first));
        say("stdout", xs + rest.join(" ") + xs);
      } else if (verb === "err") say("stderr", words);
      else if (verb === "work") this.#clock += Number(first);
      else if (verb === "cost") told.costUsd = first === "unknown" ? null : Number(first);
      else if (verb === "model") told.model = first;
      else if (verb === "over-budget")
        told.trouble = {
          ok: false,
          code: "budget",
          message: "spent its budget",
          next: [],
          ...PERMANENT,
        };
      else if (verb === "usage-limit") {
        const resetsAt = first === "" ? null : first;
        const trouble = { ok: false, code: "usage-limit", message: "no more", next: [] } as const;
        told.trouble = { ...trouble, ...PERMANENT, resetsAt };
      } else if (verb === "trouble") {
        const [word, ms] = rest;
        const retryAfterMs = ms === undefined ? null : Number(ms);
        const trouble = { ok: false, code: first, message: `claude: ${first}`, next: [] } as const;
        told.trouble = { ...trouble, ...PERMANENT, transient: word === "transient", retryAfterMs };
      } else if (verb === "env") say("stdout", `${first}=${env[first] ?? "<unset>"}`);
      else {
        const end = this.#endOf(verb, { first, code: rest[0], run });
        if (end !== null) return { end, ...said };
      }
    }
    return { end: { kind: "exited", code: 0 }, ...said };
  }

  #moveHead(verb: "back" | "amend", steps: number): void {
    for (let n = 0; n < (verb === "amend" ? 1 : steps); n += 1)
      this.#head = this.commits.get(this.#head)?.parent ?? "";
    if (verb === "amend") this.commit("amended");
    else this.#files = this.commits.get(this.#head)?.files ?? new Map();
  }

  #endOf(
    verb: string,
    { first, code, run }: { first: string; code: string | undefined; run: number },
  ): ProcessEnd | null {
    switch (verb) {
      case "exit":
        return { kind: "exited", code: Number(first) };
      case "fail":
        return run <= Number(first) ? { kind: "exited", code: Number(code ?? 1) } : null;
      case "timeout":
        return { kind: "timed-out", afterMs: 1500 };
      case "kill":
        return { kind: "signalled", signal: "SIGKILL" };
      case "abort":
        this.abort.abort();
        return { kind: "cancelled" };
      case "interrupt":
        // Ctrl-C at a moment when no child runs any more
        this.abort.abort();
        return null;
      default:
        throw new Error(`fake shell: unknown act ${verb}`);
    }
  }
}

/** Newest first, as git's port does. */
function differences(before: Files, now: Files): readonly FileChange[] {
  const changed = [...now]
    .filter(([path, { text }]) => before.get(path)?.text !== text)
    .map(([path, { written }]) => ({
      path,
      status: before.has(path) ? ("modified" as const) : ("added" as const),
      written,
    }));
  const deleted = [...before.keys()]
    .filter((path) => !now.has(path))
    .map((path) => ({ path, status: "deleted" as const, written: 0 }));
  return [...changed, ...deleted]
    .toSorted((a, b) => b.written - a.written)
    .map(({ path, status }) => ({ path, status }));
}

export interface Played {
  readonly world: FakeWorld;
  readonly outcome: SessionOutcome;
  readonly events: readonly Event[];
  /** All of one type. */
  readonly of: <T extends Event["type"]>(type: T) => readonly Extract<Event, { type: T }>[];
  /** `1 succeeded`, `1.on_failure.1 failed`: the finished steps in order. */
  readonly steps: readonly string[];
  readonly finished: Extract<Event, { type: "session-finished" }>;
  /** What a resume would be answered from, by lane. */
  readonly records: ReadonlyMap<string, readonly PastRecord[]>;
}

export interface PlayOptions extends WorldOptions {
  readonly world?: FakeWorld;
  readonly args?: readonly string[];
  readonly files?: readonly string[];
  readonly iterations?: number;
  readonly rules?: PlanRequest["commandRules"];
  readonly commit?: "auto" | "off";
  readonly rollback?: boolean;
  readonly failFast?: boolean;
  /** Inputs at once, each in a tree of its own. */
  readonly parallel?: SessionRequest["parallel"];
  readonly onBroken?: SessionRequest["onBroken"];
  readonly environment?: Readonly<Record<string, string>>;
  /** Over the playbook's. */
  readonly limits?: Partial<SessionLimits>;
  /** As typed after `--param`. */
  readonly params?: readonly string[];
  /** What is answered from an earlier process of the session, by lane. */
  readonly past?: ReadonlyMap<string, readonly PastRecord[]>;
  readonly spent?: Spent;
}

/** Reads and plans a playbook with the real reader and plan. */
export function requestFor(
  yaml: string,
  options: PlayOptions,
  world: FakeWorld,
): Omit<SessionRequest, "recorder" | "past" | "spent"> {
  const { environment = {} } = options;
  const inputs = inputsOf(options);
  const { playbook, source, diagnostics } = readPlaybook("pb.yml", yaml);
  if (playbook === null) throw new Error(renderDiagnostics(source, diagnostics));
  const given = paramValues(playbook.params, { flags: options.params ?? [], file: new Map() });
  if (!given.ok)
    throw new Error(given.problems.map((each) => `${each.message} ${each.help ?? ""}`).join("\n"));
  const { plan, diagnostics: more } = planPlaybook(playbook, {
    params: given.values,
    inputs: { count: inputs.length, allHaveFiles: inputs.every(({ file }) => file !== null) },
    maxIterations: options.iterations ?? null,
    environment,
    claude: { above: {}, below: {} },
    commandRules: options.rules ?? new Map(),
    conditions: planCondition,
  });
  if (plan === null) throw new Error(renderDiagnostics(source, more));
  const run: SessionRequest["run"] = {
    plan,
    ports: world.ports(),
    signal: world.abort.signal,
    facts: {
      id: "mmm-pb-1",
      playbook: "pb.yml",
      cwd: "/repo",
      worktree: null,
      directory: "/session",
      git: "git",
      home: "git",
      version: "0",
      replay: null,
      environment,
    },
    options: {
      commit: options.commit ?? playbook.commit,
      rollback: options.rollback ?? true,
      failFast: options.failFast ?? false,
    },
    secrets: {
      values: new Map(
        playbook.secrets.flatMap(({ name, from }) =>
          from.kind === "env" ? [[name, environment[from.name] ?? ""] as const] : [],
        ),
      ),
      mask: (text: string) => text,
    },
    meaningOf: ({ path }) => path,
  };
  const exitCode = ({ status }: SessionOutcome): number => (status === "completed" ? 0 : 1);
  const onBroken = options.onBroken ?? (() => undefined);
  const limits = { ...NO_LIMITS, ...playbook.limits, ...options.limits };
  return { run, limits, inputs, parallel: options.parallel ?? null, onBroken, exitCode };
}

/** Reads, plans and runs a playbook with the real reader, plan and engine. */
export async function play(yaml: string, options: PlayOptions = {}): Promise<Played> {
  const { world = new FakeWorld(options) } = options;
  const events: Event[] = [];
  const records = new Map<string, PastRecord[]>();
  const keep = (lane: string, record: PastRecord): void => {
    records.set(lane, [...(records.get(lane) ?? []), record]);
  };
  const recorder: Recorder = {
    event: (event, { lane, late, units }) => {
      events.push(event);
      if (lane !== null && !late && event.type !== "process-started")
        keep(lane, { type: "event", event, segment: 1, ...(units === undefined ? {} : { units }) });
    },
    answer: ({ lane, call, value }) => keep(lane, { type: "answer", call, value }),
    recalled: () => undefined,
    live: () => undefined,
  };
  const request = requestFor(yaml, options, world);
  const past = options.past === undefined ? NO_PAST : pastOf(options.past);
  const { spent = NOTHING_SPENT } = options;
  const outcome = await runSession({ ...request, recorder, past, spent });
  const of = <T extends Event["type"]>(type: T) =>
    events.filter((event): event is Extract<Event, { type: T }> => event.type === type);
  const [finished] = of("session-finished");
  if (finished === undefined) throw new Error("the session has no end");
  const steps = of("step-finished").map(({ at, conclusion }) => `${at.step} ${conclusion}`);
  return { world, outcome, events, of, steps, finished, records };
}

function pastOf(all: ReadonlyMap<string, readonly PastRecord[]>): Past {
  const lanes = [...all].map(
    ([name, records]) => [name, { records, restart: null, why: "cut-short" }] as const,
  );
  return { lanes: new Map(lanes), segment: 2 };
}

function inputsOf({ args = [], files = [] }: PlayOptions): readonly InputValue[] {
  const found = [
    ...files.map((file) => ({ arg: file, file })),
    ...args.map((arg) => ({ arg, file: null })),
  ];
  return found.map((each, index) => ({ ...each, index: index + 1, total: found.length }));
}
