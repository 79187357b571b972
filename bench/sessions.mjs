// 10 000 sessions are listed about as fast as their small files can be read and parsed.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inRepository, mmm, spread, time } from "./scratch.mjs";

/** What the list is made of, and nothing else. */
const bare = `
const fs = require("node:fs");
const folder = ".mmm/sessions";
const all = fs.readdirSync(folder).map((name) => {
  const text = fs.readFileSync(folder + "/" + name + "/session.json", "utf8");
  return JSON.stringify(JSON.parse(text), null, 2);
});
process.stdout.write(all.join("\\n"));
`;

export async function sessions({ tiny }) {
  const count = tiny ? 3 : 10_000;
  return await inRepository({ "a.txt": "a\n" }, async (place) => {
    for (let index = 0; index < count; index += 1) writeSession(place.repository, index);
    const pair = async () => {
      const yardstick = await time(["-e", bare], place);
      return { yardstick, ours: await time([mmm, "sessions"], place) };
    };
    if (!tiny) await pair();
    const pairs = [];
    for (let run = 0; run < (tiny ? 1 : 9); run += 1) pairs.push(await pair());
    return [
      {
        name: `list of ${count} sessions: mmm / bare`,
        spread: spread(pairs.map(({ ours, yardstick }) => ours / yardstick)),
        unit: "x",
        bar: 4,
      },
      { name: "  mmm", spread: spread(pairs.map(({ ours }) => ours)), unit: "ms" },
      { name: "  bare", spread: spread(pairs.map(({ yardstick }) => yardstick)), unit: "ms" },
    ];
  });
}

function writeSession(repository, index) {
  const seconds = 1_700_000_000 + index;
  const name = `mmm-review-${seconds}`;
  const folder = path.join(repository, ".mmm", "sessions", name);
  const content = {
    version: 1,
    name,
    status: "completed",
    stop_reason: "no-changes",
    exit_code: 0,
    playbook: "playbooks/review.yml",
    iterations: 2,
    steps: 10,
    commits: 4,
    files_changed: 7,
    cost_usd: 1.25,
    known_cost_usd: 1.25,
    tokens: 123_456,
    duration_ms: 654_321,
    started_at: new Date(seconds * 1000).toISOString(),
    ended_at: new Date((seconds + 654) * 1000).toISOString(),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "session.json"), `${JSON.stringify(content, null, 2)}\n`);
}
