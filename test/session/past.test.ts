/** A journal cut at any line is a past from which the session ends as if nothing had happened (spec 7). */
import { describe, expect, test } from "vitest";
import type { PlayOptions } from "../support/fake-ports.ts";
import type { JournalLine } from "../../src/session/journal-line.ts";
import { type Kill, KilledPlay, prepare } from "../support/killed-play.ts";

interface Case {
  readonly yaml: string;
  readonly options?: PlayOptions;
}

/** Acts are such that a run which is made again does the same again. */
const CASES: Readonly<Record<string, Case>> = {
  "handlers, retries and outputs": {
    yaml: `
- {claude: "/review", id: review}
- shell: "write junk.txt x; need fixed 7"
  id: check
  on_failure:
    max_attempts: 3
    do: [{claude: "/fix \${error.exit_code}"}, {shell: "write repairs.txt r"}]
- {shell: "write values.txt \${review.output}-\${check.attempts}"}
- {claude: "/score", id: score, outputs: {score: {capture: number}}}
- {shell: "write end.txt \${score.score}"}
`,
    options: {
      iterations: 1,
      claude: { "/review": "print fine", "/fix": "write fixed yes", "/score": "print 70" },
    },
  },
  "inputs and iterations": {
    yaml: `
- shell: "write \${ARG}-\${ITERATION}.txt \${INDEX}"
- {claude: "/do \${ARG} \${ITERATION}", id: do}
- shell: "commit own-\${ARG}-\${ITERATION}"
`,
    options: { iterations: 2, args: ["a", "b"], claude: { "/do": "write done.txt x; print y" } },
  },
  "a failed input beside a good one": {
    yaml: `
- shell: "write \${ARG}.txt x"
- shell: "need a.txt 3"
- claude: "/do \${ARG}"
`,
    options: { iterations: 1, args: ["b", "a"] },
  },
  "on_success and tolerated failures": {
    yaml: `
- shell: "write a.txt 1"
  on_success: [{shell: "write ok.txt 1"}, {claude: "/praise"}]
- {shell: "write t.txt 1; exit 4", continue_on_error: true}
- shell: "exit 5"
  on_failure: {fail_workflow: false, max_attempts: 1, do: [{shell: "write cleaned.txt 1"}]}
- shell: "write end.txt 1"
`,
    options: { iterations: 1 },
  },
  conditions: {
    yaml: `
- {shell: "print no", id: ask, capture_output: true}
- {shell: "write never.txt 1", condition: "\${ask.output} == 'yes'"}
- {shell: "write always.txt 1", condition: "\${ask.output} == 'no'"}
- {claude: "/end", condition: "\${ITERATION} == 1"}
`,
    options: { iterations: 2 },
  },
  "nothing to do": {
    yaml: `
- claude: "/look"
  id: look
- claude: "/implement \${look.spec}"
`,
    options: { iterations: 3 },
  },
  "a step that fails in the end": {
    yaml: `
- shell: "write good.txt 1"
- {shell: "write bad.txt 1; exit 6", on_failure: {do: [{claude: "/fix"}], max_attempts: 2}}
`,
    options: { iterations: 1 },
  },
  "no commits": {
    yaml: `
- shell: "write a.txt 1"
- claude: "/write"
- shell: "write b.txt 1; write a.txt 2"
`,
    options: { iterations: 2, commit: "off", claude: { "/write": "write c.txt 1" } },
  },
};

interface End {
  readonly outcome: unknown;
  readonly history: readonly string[];
  readonly files: unknown;
  readonly totals: unknown;
}

function endOf(play: KilledPlay, outcome: unknown): End {
  const { world, lines } = play;
  const last = lines.at(-1);
  if (last?.type !== "session-finished") throw new Error("the session has no end");
  const { iterations, steps, commits, filesChanged } = last.totals;
  const totals = { iterations, steps, commits, filesChanged };
  return { outcome, history: world.history, files: world.files, totals };
}

function costsOf({ lines }: Pick<KilledPlay, "lines">): object {
  const last = lines.at(-1);
  if (last?.type !== "session-finished") throw new Error("the session has no end");
  const { costUsd, knownCostUsd, unknownCosts, tokens, cutShort } = last.totals;
  return { costUsd, knownCostUsd, unknownCosts, tokens, cutShort };
}

/** Of the table of inputs and of the session. */
function sums({ lines }: Pick<KilledPlay, "lines">): readonly [rows: number, session: number] {
  const last = lines.at(-1);
  if (last?.type !== "session-finished") throw new Error("the session has no end");
  const { inputResults, totals } = last;
  const rows = inputResults.reduce((sum, { knownCostUsd }) => sum + knownCostUsd, 0);
  return [rows, inputResults.length === 0 ? rows : totals.knownCostUsd];
}

const KINDS = ["before", "after"] as const;

describe.each(Object.entries(CASES))("%s", (_, { yaml, options }) => {
  const prepared = prepare(yaml, options);
  async function calm(): Promise<KilledPlay & { readonly end: End }> {
    const play = new KilledPlay(prepared, options);
    const outcome = await play.run(null);
    return Object.assign(play, { end: endOf(play, outcome) });
  }

  async function killed(kills: readonly Kill[]): Promise<KilledPlay & { readonly end: End }> {
    const play = new KilledPlay(prepared, options);
    let outcome = null;
    for (const kill of [...kills, null]) {
      outcome = await play.run(kill);
      if (outcome !== null) break;
    }
    return Object.assign(play, { end: endOf(play, outcome) });
  }

  test("killed around any line it ends the same, and pays again only for what was in flight", async () => {
    const { end, lines, world } = await calm();
    for (let line = 1; line < lines.length; line += 1)
      for (const when of KINDS) {
        // Nothing happens between two lines of the engine's own.
        if (when === "before" && !/^(?:answer|process-started)$/.test(lines[line - 1]?.type ?? ""))
          continue;
        const kill = { when, line };
        const again = await killed([kill]);
        const extra = again.world.prompts.length - world.prompts.length;
        expect({ kill, text: lines[line - 1], ...again.end }).toEqual({
          kill,
          text: lines[line - 1],
          ...end,
        });
        const [rows, session] = sums(again);
        expect(rows, JSON.stringify(kill)).toBeCloseTo(session, 6);
        const wasted = wasAtWork(lines[line - 1], kill) ? 1 : 0;
        expect({ kill, extra }).toEqual({ kill, extra: wasted });
        // A start that nobody was told of cannot be counted.
        const isTold = when === "after" || lines[line - 1]?.type === "answer";
        expect({ kill, ...costsOf(again) }).toEqual({
          kill,
          ...costsOf({ lines }),
          cutShort: isTold ? wasted : 0,
        });
      }
  });

  test("killed three times it ends the same", async () => {
    const { end, lines } = await calm();
    for (let line = 1; line < lines.length; line += 3) {
      const kills = [0, 1, 2].map((n) => ({
        when: KINDS[(line + n) % 2] ?? "before",
        line: line + n * 5,
      }));
      const again = await killed(kills);
      expect({ kills, ...again.end }).toEqual({ kills, ...end });
      const [rows, session] = sums(again);
      expect(rows, JSON.stringify(kills)).toBeCloseTo(session, 6);
    }
  });
});

test("what a failed session paid for counts on when it is done again", async () => {
  const { yaml = "", options } = CASES["a step that fails in the end"] ?? {};
  const play = new KilledPlay(prepare(yaml, options), options);
  await play.run(null);
  const once = costsOf(play);
  await play.run(null);

  expect(play.world.prompts).toEqual(["/fix", "/fix"]);
  expect(once).toMatchObject({ knownCostUsd: 0.5, tokens: 3 });
  expect(costsOf(play)).toMatchObject({ knownCostUsd: 1, tokens: 6 });
});

test("what a failed input has cost stays in its row when it begins anew", async () => {
  const yaml = `
- {claude: "/do \${ARG}"}
- shell: "need a.txt 3"
`;
  const claude = { "/do a": "write a.txt x", "/do b": "write b.txt x" };
  const options = { iterations: 1, args: ["b", "a"], claude };
  const play = new KilledPlay(prepare(yaml, options), options);
  await play.run(null);
  await play.run(null);

  const [rows, session] = sums(play);
  expect(play.world.prompts).toEqual(["/do b", "/do a", "/do b"]);
  expect(rows).toBeCloseTo(session, 6);
});

/** Claude was at work, and its answer was not in the journal when mmm was killed. */
function wasAtWork(line: JournalLine | undefined, { when }: Kill): boolean {
  if (line?.type === "answer") return line.call === "claude" && when === "before";
  return line?.type === "process-started" && line.at.kind === "claude";
}
