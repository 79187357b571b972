// Ten times the steps may cost fifteen times the time; what a start costs is taken off on both sides.
import { inRepository, mmm, spread, time } from "./scratch.mjs";

export async function plan({ tiny }) {
  const [few, many] = tiny ? [2, 20] : [1000, 10_000];
  const lines = [];
  for (const { name, write, command, exit } of kinds) {
    const files = { "one.yml": write(1), "few.yml": write(few), "many.yml": write(many) };
    lines.push(
      ...(await inRepository(files, async (place) => {
        const rounds = [];
        for (let run = 0; run < (tiny ? 1 : 5); run += 1) {
          const ms = async (file) => await time([mmm, ...command, file], place, exit);
          const one = await ms("one.yml");
          rounds.push({ few: (await ms("few.yml")) - one, many: (await ms("many.yml")) - one });
        }
        return [
          {
            name: `${name}: ${many} / ${few} steps`,
            spread: spread(rounds.map((round) => round.many / Math.max(round.few, 1))),
            unit: "x",
            bar: 15,
          },
          {
            name: `  ${many} steps`,
            spread: spread(rounds.map((round) => round.many)),
            unit: "ms",
          },
        ];
      })),
    );
  }
  return lines;
}

const kinds = [
  { name: "validate, plain", write: plainSteps, command: ["validate"], exit: 0 },
  { name: "validate, ids, references, handlers", write: richSteps, command: ["validate"], exit: 0 },
  {
    name: "validate, references, conditions, gates",
    write: checkedSteps,
    command: ["validate"],
    exit: 0,
  },
  // The first step fails, so that this is the way from the command line to the first step.
  { name: "cook up to the first step", write: failingSteps, command: ["cook"], exit: 1 },
];

function plainSteps(count) {
  return '- shell: "true"\n'.repeat(count);
}

function richSteps(count) {
  return Array.from({ length: count }, (_, index) =>
    [
      `- shell: echo ${index === 0 ? "first" : `"\${s${index - 1}.word}"`}`,
      `  id: s${index}`,
      "  outputs:",
      "    word: { capture: text }",
      "  on_failure:",
      "    max_attempts: 2",
      `    shell: echo "\${error.message}" "\${ITERATION}"`,
      "",
    ].join("\n"),
  ).join("");
}

function checkedSteps(count) {
  const head = "gates:\n  sound: { expression: '${ITERATION} > 0' }\nsteps:\n";
  const steps = Array.from({ length: count }, (_, index) =>
    [
      `- shell: printf '%s' ${index === 0 ? "first" : `"\${s${index - 1}.word}"`}`,
      `  id: s${index}`,
      "  outputs:",
      "    word: { capture: text }",
      "  validation: [sound]",
      ...(index === 0
        ? []
        : [`  condition: "\${s${index - 1}.exit_code} == 0 && s${index - 1}.word != 'x'"`]),
      "",
    ].join("\n"),
  );
  return head + steps.join("");
}

function failingSteps(count) {
  return `- shell: "false"\n${plainSteps(count)}`;
}
