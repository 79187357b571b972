/** Playbooks that are right, written down anew from docs/playbook.md and not from the code; and ones with a slip. */
import * as fc from "fast-check";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Mapping = { [key: string]: Json };

const text = fc.constantFrom("x", "npm test", "a\nb", " ", "${x}", "/mmm-x", "0");
const name = fc.constantFrom("a", "b_1", "with-dash", "_x", "A9");
const scalar = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.constant(""));
const duration = fc.oneof(
  fc.constantFrom("90s", "1h30m", "500ms", "2d", "90", "0.5s", "1.125h", "1m1ms", 1, 0.5, 3600),
);
const texts = fc.oneof(text, fc.array(text, { maxLength: 3 }));
const mapping = (of: Record<string, fc.Arbitrary<Json>>, required: readonly string[] = []) =>
  fc.record(of, { requiredKeys: required as string[] }) as fc.Arbitrary<Mapping>;
const dictionary = (keys: fc.Arbitrary<string>, values: fc.Arbitrary<Json>) =>
  fc.dictionary(keys, values, { maxKeys: 3, noNullPrototype: true }) as fc.Arbitrary<Mapping>;

const env = dictionary(fc.constantFrom("CI", "a_b", "_X"), scalar);

const claudeOptions = {
  model: text,
  max_turns: fc.integer({ min: 1, max: 100_000 }),
  permission_mode: fc.constantFrom("plan", "acceptEdits", "manual"),
  allowed_tools: texts,
  disallowed_tools: texts,
  append_system_prompt: text,
  idle_timeout: duration,
};

const fallback = { default: scalar };
const output = fc.oneof(
  mapping(
    {
      file_pattern: fc.constantFrom("*.md", "specs/**/*.md", "a..b/c"),
      all: fc.boolean(),
      ...fallback,
    },
    ["file_pattern"],
  ),
  mapping(
    {
      capture: fc.constantFrom("text", "lines", "json", "number", "boolean"),
      path: fc.constantFrom("$.a", "$"),
      pattern: fc.constantFrom("x", "/a(b)/im"),
      from: fc.constantFrom("stdout", "stderr", "both"),
      ...fallback,
    },
    ["capture"],
  ),
  mapping({ capture: fc.constant("count"), pattern: text, ...fallback }, ["capture", "pattern"]),
);

const gate = fc.oneof(
  mapping({ shell: text, timeout: duration }, ["shell"]),
  mapping({ expression: text }, ["expression"]),
  mapping(
    {
      metric: fc.constantFrom<Json>({ shell: "x" }, { coverage: "a" }, { coverage: "a", run: "b" }),
      must: fc.constant("not_regress"),
      tolerance: fc.constantFrom<Json>("5%", "0.5", 0, 2.5, " 1 % "),
      better: fc.constantFrom("higher", "lower"),
      timeout: duration,
    },
    ["metric", "must"],
  ),
  mapping({ metric: fc.constant({ shell: "x" }), must: fc.constantFrom("increase", "decrease") }, [
    "metric",
    "must",
  ]),
);

const validation = fc.constantFrom<Json>(
  "tests_pass",
  "mine",
  ["tests_pass", { mine: true }],
  { tests_pass: true, mine: true },
  [{ performance_regression: false }, { lint_clean: true, build_passes: true }],
);

const analysis = {
  max_cache_age: fc.oneof(duration, fc.constantFrom(0, "0s")),
  force_refresh: fc.boolean(),
};

interface Tied {
  readonly step: fc.Arbitrary<Json>;
  readonly steps: fc.Arbitrary<Json>;
  readonly handler: fc.Arbitrary<Json>;
}

/** All but `id` and `name`; ids are given afterwards, each once. */
const options = ({ steps, handler }: Tied): Record<string, fc.Arbitrary<Json>> => ({
  condition: fc.oneof(text, fc.boolean()),
  env,
  secrets: texts,
  working_dir: text,
  timeout: duration,
  on_failure: handler,
  on_success: steps,
  on_exit_code: dictionary(fc.constantFrom("1", "7", "42", "101", "255", "007"), handler),
  continue_on_error: fc.boolean(),
  commit_required: fc.boolean(),
  commit_message: text,
  auto_commit: fc.constantFrom(true, false, "on", "off", "all"),
  outputs: dictionary(fc.constantFrom("o1", "o2", "o-3"), output),
  validation,
  retry: mapping({
    attempts: fc.integer({ min: 1, max: 10 }),
    backoff: fc.constantFrom("fixed", "linear", "exponential"),
    initial_delay: fc.constantFrom("1s", 0.5),
    max_delay: fc.constantFrom("30s", 60),
    jitter: fc.boolean(),
    retry_on: fc.constantFrom<Json>(
      ["timeout"],
      ["transient", { exit_code: [75] }, { pattern: "/x/" }],
    ),
  }),
  capture_output: fc.oneof(fc.boolean(), fc.constantFrom("captured", "o_9")),
  analysis: fc.oneof(fc.boolean(), mapping(analysis)),
});

const kinds = {
  claude: fc.oneof(
    text,
    mapping(
      {
        prompt: text,
        ...claudeOptions,
        output_schema: fc.constantFrom<Json>("schema.json", { type: "object", properties: {} }),
        continue_session: fc.constantFrom<Json>(true, "review"),
      },
      ["prompt"],
    ),
  ),
  shell: fc.oneof(text, mapping({ run: text, stdin: fc.constantFrom("", "x") }, ["run"])),
  analyze: fc.oneof(
    fc.constantFrom<Json>(null, true),
    mapping({ ...analysis, save: fc.boolean(), format: fc.constantFrom("summary", "json") }),
  ),
  test: fc.oneof(text, mapping({ command: text }, ["command"])),
};

/** A few of the options a step, so that depth stays small. */
function withSome(tied: Tied, own: fc.Arbitrary<Mapping>): fc.Arbitrary<Mapping> {
  const all = options(tied);
  const few = fc
    .subarray(Object.keys(all), { maxLength: 3 })
    .chain((keys) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, all[key] ?? fc.constant(null)]))),
    );
  return fc.tuple(own, few).map(([body, more]) => ({ ...body, ...more }));
}

const loop = ({ steps }: Tied) => ({
  foreach: fc.constantFrom<Json>(["a", 1, { path: "x" }], "${params.x}"),
  do: steps,
  max_items: fc.integer({ min: 1, max: 100_000 }),
});

/** A loop takes some options of a step, and leaves the others to the steps in it. */
function withLoopOptions(tied: Tied, own: fc.Arbitrary<Mapping>): fc.Arbitrary<Mapping> {
  const all = options(tied);
  const { id, condition, env: around, on_failure, on_success, continue_on_error } = all;
  const few = { id, condition, env: around, on_failure, on_success, continue_on_error };
  const some = Object.fromEntries(
    Object.entries(few).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
  return fc.tuple(own, mapping(some)).map(([body, more]) => ({ ...body, ...more }));
}

function stepOf(tied: Tied): fc.Arbitrary<Json> {
  const label = { name: text };
  const command = mapping(
    {
      name: fc.constantFrom("mmm-lint", "/mmm-x", " lint "),
      args: fc.array(scalar, { maxLength: 3 }),
      options: dictionary(fc.constantFrom("focus", "deep"), scalar),
      metadata: mapping({ timeout: duration, env, continue_on_error: fc.boolean() }),
    },
    ["name"],
  );
  return fc.oneof(
    fc.constantFrom("mmm-lint", "/mmm-lint --fix", " x ", "shell", "claudette: x", "run the tests"),
    withSome(tied, command),
    withSome(tied, mapping({ claude: kinds.claude, ...label }, ["claude"])),
    withSome(tied, mapping({ shell: kinds.shell, ...label }, ["shell"])),
    withSome(tied, mapping({ analyze: kinds.analyze, ...label }, ["analyze"])),
    withSome(tied, mapping({ test: kinds.test, ...label }, ["test"])),
    withLoopOptions(tied, mapping(loop(tied), ["foreach", "do"])),
  );
}

function tiedAt(depth: number): Tied {
  if (depth === 0) {
    const step = fc.constantFrom<Json>("mmm-x", { shell: "x" }, { name: "mmm-y" });
    return { step, steps: step, handler: step };
  }
  const below = tiedAt(depth - 1);
  const step = stepOf(below);
  const list = fc.array(step, { minLength: 1, maxLength: 2 });
  const steps = fc.oneof(step, list);
  const keys = { max_attempts: fc.integer({ min: 1, max: 1000 }), fail_workflow: fc.boolean() };
  const handler = fc.oneof(
    steps,
    mapping({ do: steps, ...keys }, ["do"]),
    mapping(keys).filter((value) => Object.keys(value).length > 0),
    fc
      .tuple(step, mapping(keys))
      .map(([one, more]) => (isMapping(one) ? { ...one, ...more } : one)),
  );
  return { step, steps, handler };
}

const tied = tiedAt(2);

const param = fc.oneof(
  mapping({
    type: fc.constant("string"),
    default: fc.constantFrom<Json>("x", 1, true),
    description: fc.constantFrom("", "d"),
  }),
  mapping(
    { type: fc.constant("number"), choices: fc.constant([1, 2]), default: fc.constantFrom(1, 2) },
    ["type"],
  ),
  mapping({ type: fc.constant("boolean"), default: fc.boolean() }, ["type"]),
  mapping({ type: fc.constant("list"), default: fc.constantFrom<Json>([], ["a", 1, true]) }, [
    "type",
  ]),
  mapping({ choices: fc.constantFrom<Json>(["a", "b"], ["a"]), required: fc.boolean() }),
);

const secret = fc.oneof(
  mapping({ env: fc.constantFrom("TOKEN", "_t") }, ["env"]),
  mapping({ file: text }, ["file"]),
);

const header = {
  name: text,
  description: fc.constantFrom("", "d"),
  max_iterations: fc.integer({ min: 1, max: 1000 }),
  env,
  params: dictionary(name, param),
  secrets: dictionary(fc.constantFrom("TOKEN", "KEY_2"), secret),
  defaults: withSome(tiedAt(1), fc.constant({})),
  commit: fc.constantFrom("auto", "off"),
  gates: dictionary(fc.constantFrom("mine", "g-2"), gate),
  until: text,
  claude: mapping(claudeOptions),
  limits: mapping({
    cost_usd: fc.constantFrom(0.5, 5),
    tokens: fc.constantFrom(1, 1e15),
    duration,
  }),
};

const list = fc.array(tied.step, { minLength: 1, maxLength: 3 });

/** Of a session in a worktree. */
const beside = {
  merge: list,
  worktree: fc.oneof(
    fc.boolean(),
    mapping({
      copy: fc.constant<Json>([".env"]),
      link: fc.constant<Json>(["a/b"]),
      run: fc.array(text, { maxLength: 2 }),
    }),
  ),
};

/** A playbook that is right; it may hold old forms. */
export const playbook: fc.Arbitrary<Json> = fc
  .oneof(
    list,
    mapping({ ...header, ...beside, steps: list, config: mapping(header) }, ["steps"]),
    mapping({ ...header, ...beside, commands: list }, ["commands"]),
  )
  .map(withIds);

/** Each second step gets an id of its own. */
function withIds(value: Json): Json {
  let count = 0;
  const walk = (node: Json): Json => {
    if (Array.isArray(node)) return node.map(walk);
    if (!isMapping(node)) return node;
    const walked = Object.fromEntries(
      Object.entries(node).map(([key, inner]) => [
        key,
        ["config", "defaults", "gates"].includes(key) ? inner : walk(inner),
      ]),
    );
    const isStep =
      ["claude", "shell", "analyze", "foreach", "test"].some((key) => key in node) &&
      !("steps" in node) &&
      !("commands" in node);
    if (!isStep || "max_turns" in node) return walked;
    count += 1;
    return count % 2 === 0 ? { ...walked, id: `step-${count}` } : walked;
  };
  return walk(value);
}

/** Keys of all places, keys of other tools, and slips. */
const KEYS = [
  ..."claude shell analyze name args id condition env secrets working_dir timeout on_failure on_success".split(
    " ",
  ),
  ..."on_exit_code continue_on_error commit_required commit_message auto_commit outputs capture_output".split(
    " ",
  ),
  ..."analysis do max_attempts fail_workflow prompt model max_turns run stdin max_cache_age save format".split(
    " ",
  ),
  ..."file_pattern all capture path pattern from default type required choices description file steps".split(
    " ",
  ),
  ..."commands max_iterations params defaults commit limits cost_usd tokens duration config test metadata".split(
    " ",
  ),
  ..."options command on_failre Shell uses if output_schema continue_session 0 256 300 1a spec output a-b".split(
    " ",
  ),
  ..."last shell.x 9x x@y retry attempts backoff retry_on gates until validation metric must tolerance better expression coverage merge worktree copy link".split(
    " ",
  ),
];

const SLIPS: readonly (readonly Json[])[] = [
  [null, true, false, 0, 1, -1, 1.5, 1001, 100_001, 0.0004, 2_073_601],
  ["", " ", "/", "x", "a b", "-", "9x", "shell: x", "claude x", "analyze ", "all", "1h", "step-2"],
  [
    "0s",
    "0.4ms",
    "1s1s",
    "1m2m",
    "5 m",
    "1h1m1h",
    "x".repeat(101),
    "auto",
    "plan",
    "text",
    "count",
  ],
  ["/etc/*", "../x", "a/../b", "output", "error", "list", "increase", "5%", "tests_pass"],
  [[], [[]], [null], [""], ["x"], [1], {}, { x: 1 }, { shell: "x" }, { do: [] }, { do: "x" }],
  [
    { type: "object" },
    { env: "A", file: "b" },
    { name: "a b" },
    { fail_workflow: false },
    { run: "x" },
  ],
];
const ODD = fc.constantFrom(...SLIPS.flat());

interface Slip {
  readonly at: number;
  readonly how: "replace" | "remove" | "add" | "rename" | "swap";
  readonly key: string;
  readonly value: Json;
}

const slip: fc.Arbitrary<Slip> = fc.record({
  at: fc.nat({ max: 10_000 }),
  how: fc.constantFrom("replace", "remove", "add", "rename", "swap"),
  key: fc.constantFrom(...KEYS),
  value: ODD,
});

/** Does a key stand both in an old form and where it belongs? The reader does not look at the former then. */
export function hasTwice(value: Json): boolean {
  if (Array.isArray(value)) return value.some(hasTwice);
  if (!isMapping(value)) return false;
  const inside = ["metadata", "config", "test"].flatMap((name) => Object.keys(value[name] ?? {}));
  return inside.some((key) => key in value) || Object.values(value).some(hasTwice);
}

/** A playbook with one to three changes; some leave it right. */
export const mutated: fc.Arbitrary<Json> = fc
  .tuple(playbook, fc.array(slip, { minLength: 1, maxLength: 3 }), list)
  .map(([value, slips, others]) => {
    let now = structuredClone(value);
    for (const each of slips) now = changed(now, each, others);
    return now;
  });

/** `swap` puts a right step where something else stood. */
function changed(root: Json, { at, how, key, value }: Slip, others: readonly Json[]): Json {
  const holder: Json[] = [root];
  const places: { readonly parent: Json[] | Mapping; readonly key: string }[] = [];
  const walk = (parent: Json[] | Mapping): void => {
    for (const [name, inner] of Object.entries(parent)) {
      places.push({ parent, key: name });
      if (Array.isArray(inner) || isMapping(inner)) walk(inner);
    }
  };
  walk(holder);
  const place = places[at % places.length];
  if (place === undefined) return root;
  const parent = place.parent as Mapping;
  const inner = parent[place.key] ?? null;
  if (how === "replace") parent[place.key] = structuredClone(value);
  else if (how === "swap") parent[place.key] = structuredClone(others[at % others.length] ?? value);
  else if (how === "add" && isMapping(inner)) inner[key] = structuredClone(value);
  else if (how === "add" && Array.isArray(inner)) inner.push(structuredClone(value));
  else if (how === "rename" && !Array.isArray(place.parent)) {
    delete parent[place.key];
    parent[key] = inner;
  } else if (how === "remove") {
    if (Array.isArray(place.parent) && place.parent !== holder)
      place.parent.splice(Number(place.key), 1);
    else if (place.parent !== holder) delete parent[place.key];
  }
  return holder[0] ?? null;
}

function isMapping(value: Json | undefined): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
