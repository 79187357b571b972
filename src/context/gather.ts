/** All that is known of a repository, afresh: each file is looked at once, git is asked a handful of times. */
import { coverageOf, reportPlaces, type CoverageFacts } from "./coverage-reports.ts";
import { debtOf, type DebtFacts } from "./debt.ts";
import { isShallow, trackedFiles } from "./git-facts.ts";
import { readHistory } from "./history.ts";
import { hotspotsOf, type HotspotFacts } from "./hotspots.ts";
import { isForeign, languageOf } from "./languages.ts";
import { projectFacts, type ProjectFacts } from "./project.ts";
import type { ProjectCommands } from "../engine/ports.ts";
import { scanFiles } from "./scan-files.ts";
import { stampOfFiles } from "./state.ts";

export interface AllFacts {
  readonly project: ProjectFacts;
  readonly hotspots: HotspotFacts;
  readonly debt: DebtFacts;
  readonly coverage: CoverageFacts;
  /** Of the coverage reports as they were read. */
  readonly reportStamp: string;
}

export async function gatherFacts(
  root: string,
  given: { readonly commands: Partial<ProjectCommands>; readonly now: Date },
): Promise<AllFacts> {
  const listed = await trackedFiles(root);
  const own = listed.files.filter(({ path, size }) => size > 0 && !isForeign(path));
  const names = new Set(own.map(({ path }) => path));
  const source = own.filter(({ path }) => languageOf(path) !== null);
  // git works on its own core while files are read on this one.
  const history = readHistory(root, (file) => names.has(file));
  const shallow = isShallow(root);
  const project = projectFacts(root, listed, given.commands);
  const scan = await scanFiles(root, source);
  const hotspots = hotspotsOf(await history, scan.lines, await shallow);
  const [facts, debt] = await Promise.all([
    project,
    debtOf(root, scan, { hotspots, now: given.now }),
  ]);
  const reportStamp = stampOfFiles(root, reportPlaces(facts.manifests));
  const coverage = await coverageOf(root, facts.manifests, (await history).newest);
  return { project: facts, hotspots, debt, coverage, reportStamp };
}
