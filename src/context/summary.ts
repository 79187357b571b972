/** `summary.md`: one screen for people and prompts. What it says comes from files, so it is quoted as data. */
import type { AllFacts } from "./gather.ts";
import type { ProjectFacts } from "./project.ts";

/** Markdown, at most about 100 lines whatever the repository holds. */
export function renderSummary(all: AllFacts, head: string | null): string {
  const { project: facts } = all;
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
    hotspotSection(all),
    debtSection(all),
    coverageSection(all),
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

/** How many tests there are, how they are called, and where they stand. */
export function testLine(tests: ProjectFacts["tests"]): string {
  if (tests.files === 0) return "none recognised by name";
  const where = tests.beside
    ? "beside what they test"
    : tests.folders.slice(0, 4).map(code).join(", ");
  return `${tests.files} files (${tests.patterns.slice(0, 3).map(code).join(", ")}), ${where}`;
}

/** How commit subjects are written, with the figures it is taken from. */
export function commitLine(commits: ProjectFacts["commits"]): string {
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

function hotspotSection({ hotspots: { files, together, history } }: AllFacts): string {
  const cut = history.shallow ? ", of a shallow clone" : "";
  const lines = [
    ...files
      .slice(0, 8)
      .map(({ path, changes, lines }) => `- ${code(path)}: ${changes} changes, ${lines} lines`),
    ...together
      .slice(0, 4)
      .map(
        ({ files: [one, other], commits }) =>
          `- ${code(one)} and ${code(other)} changed together ${commits} times`,
      ),
  ];
  const title = `## Hotspots (${history.commits} commits${cut}; hotspots.json)`;
  return lines.length === 0 ? "" : [title, ...lines].join("\n");
}

function debtSection({ debt }: AllFacts): string {
  const counts = Object.entries(debt.totals).filter(([, count]) => count > 0);
  const lines = [
    ...(counts.length === 0
      ? []
      : [`- markers: ${counts.map(([kind, count]) => `${count} ${kind}`).join(", ")}`]),
    ...debt.markers.slice(0, 5).map((marker) => {
      const least = marker.at_least ? "at least " : "";
      const age = marker.age_days === null ? "" : ` (${least}${marker.age_days} days old)`;
      return `- ${code(`${marker.path}:${marker.line}`)} ${code(marker.text)}${age}`;
    }),
    ...debt.long_files.slice(0, 5).map(({ path, lines }) => `- ${code(path)} has ${lines} lines`),
  ];
  return lines.length === 0 ? "" : ["## Debt (debt.json)", ...lines].join("\n");
}

function coverageSection({ coverage }: AllFacts): string {
  const lines = coverage.reports.slice(0, 4).map((report) => {
    const share = report.lines === null ? "no lines" : `${report.lines.percent} % of lines`;
    const old = report.stale ? ", older than the newest commit" : "";
    return `- ${code(report.path)}: ${share}${old}`;
  });
  const least = coverage.files
    .slice(0, 5)
    .map(({ path, lines }) => `- least: ${code(path)} ${lines.percent} %`);
  return lines.length === 0 ? "" : ["## Coverage (coverage.json)", ...lines, ...least].join("\n");
}

function list<T>(title: string, items: readonly T[], line: (item: T) => string): string {
  if (items.length === 0) return "";
  const shown = items.slice(0, 10).map((item) => `- ${line(item)}`);
  const more = items.length > 10 ? [`- and ${items.length - 10} more (project.json)`] : [];
  return [title, ...shown, ...more].join("\n");
}

/** One line without control characters, cut to 200. */
export function plain(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, 200);
}

/** As a code span; a backtick inside would end it. */
export function code(text: string): string {
  return `\`${plain(text).replaceAll("`", "'")}\``;
}
