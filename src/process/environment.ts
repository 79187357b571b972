import { OF_ANOTHER_REPOSITORY } from "./git-variables.ts";
import { UNIT_VARIABLE } from "./process-table.ts";

/** Added to the environment mmm was started in; `undefined` takes a variable away. */
export type EnvironmentChanges = Readonly<Record<string, string | undefined>>;

const REPOSITORY: ReadonlySet<string> = new Set(OF_ANOTHER_REPOSITORY);

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
    if (!REPOSITORY.has(name)) environment[name] = value;
  }
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete environment[name];
    else environment[name] = value;
  }
  environment[UNIT_VARIABLE] = unit;
  return environment;
}
