import { UNIT_VARIABLE } from "./process-table.ts";

/** Added to the environment mmm was started in; `undefined` takes a variable away. */
export type EnvironmentChanges = Readonly<Record<string, string | undefined>>;

/**
 * What git itself forgets on the way into another repository (`git rev-parse --local-env-vars`). A hook
 * or an alias that starts mmm sets them; a child's commits would land elsewhere than mmm looks.
 */
const OF_ANOTHER_REPOSITORY: ReadonlySet<string> = new Set([
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
  "GIT_QUARANTINE_PATH",
]);

/**
 * The environment of a child. What an outer mmm set for its own child (`MMM_UNIT`, `__MMM_*` values of a
 * shell step) does not go on to ours.
 */
export function childEnvironment(
  inherited: NodeJS.ProcessEnv,
  changes: EnvironmentChanges,
  unit: string,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (value === undefined || name === UNIT_VARIABLE || name.startsWith("__MMM_")) continue;
    if (!OF_ANOTHER_REPOSITORY.has(name)) environment[name] = value;
  }
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete environment[name];
    else environment[name] = value;
  }
  environment[UNIT_VARIABLE] = unit;
  return environment;
}
