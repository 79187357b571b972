/** Variables that change what a git process means by its arguments; a hook or an alias that starts mmm sets some. */

/**
 * What git itself forgets on the way into another repository (`git rev-parse --local-env-vars`): with one of
 * them set, commits land elsewhere than mmm looks.
 */
export const OF_ANOTHER_REPOSITORY = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
  "GIT_QUARANTINE_PATH",
  "GIT_INTERNAL_SUPER_PREFIX",
] as const;

/** Other meanings of paths, other forms of output: a step may want them, mmm's own questions never do. */
export const OF_ANOTHER_MEANING = [
  "GIT_LITERAL_PATHSPECS",
  "GIT_GLOB_PATHSPECS",
  "GIT_NOGLOB_PATHSPECS",
  "GIT_ICASE_PATHSPECS",
  "GIT_EXTERNAL_DIFF",
  "GIT_DIFF_OPTS",
] as const;
