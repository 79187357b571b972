// What mmm adds to a step that does nothing: journal, log, git, report.
import { bare, inRepository, mmm, spread, time } from "./scratch.mjs";

export async function steps({ tiny }) {
  const count = tiny ? 2 : 100;
  const playbook = '- shell: "true"\n'.repeat(count);
  return await inRepository({ "steps.yml": playbook }, async (place) => {
    const pair = async () => {
      const yardstick = await time([bare, place.repository, String(count)], place);
      return { yardstick, ours: await time([mmm, "cook", "steps.yml"], place) };
    };
    // The first one warms the disk's cache.
    if (!tiny) await pair();
    const pairs = [];
    for (let run = 0; run < (tiny ? 1 : 15); run += 1) pairs.push(await pair());
    return [
      {
        name: `${count} steps: mmm / bare`,
        spread: spread(pairs.map(({ ours, yardstick }) => ours / yardstick)),
        unit: "x",
        bar: 2,
      },
      { name: "  mmm", spread: spread(pairs.map(({ ours }) => ours)), unit: "ms" },
      { name: "  bare", spread: spread(pairs.map(({ yardstick }) => yardstick)), unit: "ms" },
    ];
  });
}
