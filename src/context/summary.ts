/** `summary.md`: one screen for people and prompts. What it says comes from files, so it is quoted as data. */
import type { ProjectFacts } from "./project.ts";

/** Markdown, at most about 60 lines whatever the repository holds. */
export function renderSummary(facts: ProjectFacts, head: string | null): string {
  const sections = [
    `# ${plain(facts.name)}`,
    facts.description === null ? "" : plain(facts.description),
    ["## Facts", ...factLines(facts, head)].join("\n"),
    ["## Commands", ...commandLines(facts)].join("\n"),
    list(
      "## Entry points",
      facts.entry_points,
      (point) => `${code(point.path)} (${plain(point.from)})`,
    ),
    list("## Manifests", facts.manifests, code),
    ...facts.workspaces.map((workspace) =>
      list(`## Workspaces in ${plain(workspace.manifest)}`, workspace.members, code),
    ),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function factLines(facts: ProjectFacts, head: string | null): readonly string[] {
  const { files, languages, tests, commits } = facts;
  const shares = languages.slice(0, 6).map((share) => `${share.language} ${share.percent} %`);
  const cut = files.complete ? "" : " (git was stopped at a limit: too low)";
  return [
    `- head: ${head === null ? "no commit yet" : head.slice(0, 12)}`,
    `- files: ${files.tracked} tracked, ${files.foreign} of them vendored or generated${cut}`,
    `- languages: ${shares.length === 0 ? "none recognised" : shares.join(", ")}`,
    ...(facts.package_manager === null ? [] : [`- package manager: ${facts.package_manager}`]),
    `- tests: ${testLine(tests)}`,
    `- commit subjects: ${commitLine(commits)}`,
  ];
}

function testLine(tests: ProjectFacts["tests"]): string {
  if (tests.files === 0) return "none recognised by name";
  const where = tests.beside
    ? "beside what they test"
    : tests.folders.slice(0, 4).map(code).join(", ");
  return `${tests.files} files (${tests.patterns.slice(0, 3).map(code).join(", ")}), ${where}`;
}

function commitLine(commits: ProjectFacts["commits"]): string {
  if (commits.style === "unknown") return `too few to tell (${commits.sample})`;
  const ratio = `${commits.conventional} of the last ${commits.sample}`;
  if (commits.style === "free") return `free form (${ratio} conventional)`;
  const types = commits.types.slice(0, 6).map(code).join(", ");
  return `conventional, \`type(scope): text\` (${ratio}; ${types})`;
}

function commandLines(facts: ProjectFacts): readonly string[] {
  return Object.entries(facts.commands).map(
    ([purpose, command]) => `- ${purpose}: ${command === null ? "none found" : code(command)}`,
  );
}

function list<T>(title: string, items: readonly T[], line: (item: T) => string): string {
  if (items.length === 0) return "";
  const shown = items.slice(0, 10).map((item) => `- ${line(item)}`);
  const more = items.length > 10 ? [`- and ${items.length - 10} more (project.json)`] : [];
  return [title, ...shown, ...more].join("\n");
}

/** One line without control characters, cut to 200. */
function plain(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, 200);
}

/** As a code span; a backtick inside would end it. */
function code(text: string): string {
  return `\`${plain(text).replaceAll("`", "'")}\``;
}
