/** `.mmm/PROJECT.md` as `mmm init` makes it: what files tell of a project, and room for what they do not (spec 9.1). */
import type { ProjectFacts } from "./project.ts";
import { code, commitLine, plain, testLine } from "./summary.ts";

/** Markdown. What it says comes from files, so it is quoted as data. */
export function renderProjectPage(facts: ProjectFacts): string {
  const { languages, manifests, entry_points: entries, commands } = facts;
  const shares = languages.slice(0, 6).map((share) => `${share.language} ${share.percent} %`);
  const row = ([purpose, command]: [string, string | null]): string =>
    `| ${purpose} | ${command === null ? "none found" : cell(command)} |`;
  const sections = [
    `# ${plain(facts.name)}`,
    facts.description === null
      ? "What this project is for, in a sentence or two: nothing here says it yet."
      : plain(facts.description),
    "Made by `mmm init` from what lies here, and yours from now on: Claude's commands read this page first.",
    [
      "## What it is made of",
      "",
      `- languages: ${shares.length === 0 ? "none recognised" : shares.join(", ")}`,
      ...listed("manifests", manifests),
      ...listed(
        "entry points",
        entries.map(({ path }) => path),
      ),
      `- tests: ${testLine(facts.tests)}`,
    ].join("\n"),
    [
      "## Commands",
      "",
      "| for | command |",
      "|---|---|",
      ...Object.entries(commands).map(row),
    ].join("\n"),
    ["## How we work", "", `- commit subjects: ${commitLine(facts.commits)}`].join("\n"),
  ];
  return `${sections.join("\n\n")}\n`;
}

function listed(what: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const more = items.length > 5 ? `, and ${items.length - 5} more` : "";
  return [`- ${what}: ${items.slice(0, 5).map(code).join(", ")}${more}`];
}

/** A bar would end the table's cell. */
function cell(command: string): string {
  return code(command).replaceAll("|", "\\|");
}
