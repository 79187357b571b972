import { analyzeKind } from "./analyze.ts";
import { claudeKind, commandKind } from "./claude.ts";
import { foreachKind } from "./foreach.ts";
import type { StepKind } from "./kind.ts";
import { shellKind } from "./shell.ts";

/** All step kinds. A new one is its own file and one line here. */
export const stepKinds: readonly StepKind[] = [
  claudeKind,
  commandKind,
  shellKind,
  analyzeKind,
  foreachKind,
];

/** Keys each of which makes a step of its kind, wherever it stands. */
export const kindKeys: readonly string[] = stepKinds
  .filter(({ weak }) => !weak)
  .map(({ key }) => key);
