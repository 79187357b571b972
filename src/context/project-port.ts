import type { ProjectCommands, ProjectPort } from "../engine/ports.ts";
import { coverageAt, newestCoverage } from "./coverage-file.ts";
import { detectCommands } from "./project-commands.ts";

/** Looks each time: a step may give the project its first test. */
export function createProject(where: {
  /** Top of the session's tree. */
  readonly root: string;
  /** Where steps run. */
  readonly cwd: string;
  /** `project:` of the config; it wins, command by command. */
  readonly configured: Partial<ProjectCommands>;
}): ProjectPort {
  return {
    commands: async () => {
      const detected = await detectCommands(where.root);
      const { configured } = where;
      return {
        test: configured.test ?? detected.test,
        lint: configured.lint ?? detected.lint,
        build: configured.build ?? detected.build,
        format: configured.format ?? detected.format,
        bench: configured.bench ?? detected.bench,
      };
    },
    coverage: async (file) =>
      file === null ? newestCoverage(where.root) : coverageAt(where, file),
  };
}
