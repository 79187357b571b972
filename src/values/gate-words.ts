/** The words of `validation:` that stand for the project's own commands (spec 2.6). */

/** What `project:` of the config has, and `${project.x}`. */
export const PROJECT_FIELDS = ["test", "lint", "build", "format", "bench"] as const;

export type ProjectField = (typeof PROJECT_FIELDS)[number];

export interface GateWord {
  /** The value to write behind it. */
  readonly holds: boolean;
  readonly command: ProjectField;
  /** `exit-code`: the command has to succeed; else its figure, or the coverage it leaves, is compared. */
  readonly judges: "exit-code" | "figure" | "coverage";
}

export const gateWords: ReadonlyMap<string, GateWord> = new Map([
  ["tests_pass", { holds: true, command: "test", judges: "exit-code" }],
  ["lint_clean", { holds: true, command: "lint", judges: "exit-code" }],
  ["build_passes", { holds: true, command: "build", judges: "exit-code" }],
  ["coverage_increased", { holds: true, command: "test", judges: "coverage" }],
  ["performance_regression", { holds: false, command: "bench", judges: "figure" }],
]);
