/** How the people of a repository write commit subjects. */
export interface CommitStyle {
  /** Subjects looked at, merges left out; at most 50. */
  readonly sample: number;
  /** `conventional`: at least seven of ten are `type(scope): text`; `unknown`: fewer than three commits. */
  readonly style: "conventional" | "free" | "unknown";
  readonly conventional: number;
  /** Types in use, most first; at most 8. */
  readonly types: readonly string[];
  /** Scopes in use, most first; at most 8. */
  readonly scopes: readonly string[];
  /** The longest subject of the sample, in characters. */
  readonly longest: number;
}

const shape = /^([a-z]{2,20})(?:\(([^()]{1,60})\))?!?: \S/u;

/** From the newest subjects. */
export function commitStyleOf(subjects: readonly string[]): CommitStyle {
  const matches = subjects.flatMap((subject) => {
    const match = shape.exec(subject);
    return match === null ? [] : [match];
  });
  const sample = subjects.length;
  const enough = sample >= 3;
  return {
    sample,
    style: !enough ? "unknown" : matches.length * 10 >= sample * 7 ? "conventional" : "free",
    conventional: matches.length,
    types: frequent(matches.map((match) => match[1])),
    scopes: frequent(matches.map((match) => match[2])),
    longest: Math.max(0, ...subjects.map((subject) => subject.length)),
  };
}

function frequent(words: readonly (string | undefined)[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const word of words) {
    if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, 8)
    .map(([word]) => word);
}
