/** Inputs that do what agents do to a repository, one kind each, and what is to become of each. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Its first argument is the step, the second the input: KIND-NUMBER. `$OUT` lies outside of the repository. */
export const ACTS = `
step=$1; input=$2; kind=\${input%-*}
made() { git rev-parse HEAD >> "$OUT/made/$input"; }
# git dies of a worktree that another input is just being given.
again() { for n in 1 2 3 4 5; do "$@" && return; sleep 0.1; done; exit 8; }
own() { echo "$input" > "own-$input.txt"; git add "own-$input.txt"; git commit -q -m "own $input"; made; }
# The test holds the index of DIRECTORY for a while; from here on it is held.
hold() {
  echo "$1" > "$OUT/ask-$input"; mv "$OUT/ask-$input" "$OUT/asked/$input"
  while ! test -e "$OUT/held/$input"; do sleep 0.02; done
}
case "$step-$kind" in
  first-own) own ;;
  first-both) own; echo "$input" > "more-$input.txt" ;;
  first-same)
    echo "$input" > same.txt; touch "$OUT/met/$input"
    while [ $(ls "$OUT/met" | wc -l) -lt 2 ]; do sleep 0.02; done ;;
  first-red) echo "$input" > "red-$input.txt" ;;
  first-none) ;;
  first-fail) own; echo dirt > dirt.txt; exit 3 ;;
  first-back) again git switch -q -c "aside-$input"; own; again git switch -q "$WORKTREE" ;;
  first-held) echo "$input" > "$input.txt"; hold "$(git rev-parse --absolute-git-dir)" ;;
  first-tip)
    echo "$input" > "$input.txt"
    hold "$(git rev-parse --path-format=absolute --git-common-dir)/worktrees/\${WORKTREE%-i*}" ;;
  first-stuck) echo "$input" > "$input.txt"; touch "$(git rev-parse --absolute-git-dir)/index.lock" ;;
  first-late-stuck) own; touch "$(git rev-parse --absolute-git-dir)/index.lock" ;;
  first-*) echo "$input" > "$input.txt" ;;
  late-late-stuck) ;;
  late-late-gone) rm -rf "$PROJECT_ROOT" ;;
  late-late-fail) own; echo dirt > dirt.txt; exit 4 ;;
  late-late-switch) again git switch -q -c "aside-$input"; own ;;
  late-late-reset) git reset -q --hard HEAD~1 ;;
  late-late-amend) git commit -q --amend -m "amended $input"; made ;;
  late-late-detach) again git switch -q --detach; own ;;
  late-late-unbranch) own; again git switch -q --detach; again git branch -q -D "$WORKTREE" ;;
  hang-hang) own; sleep 600 & sleep 600 ;;
  dirt-dirt) echo dirt > dirt.txt ;;
  *) echo "what is $step-$kind?"; exit 9 ;;
esac
`;

export const PLAYBOOK = `
gates: {one-red: {shell: "test $(ls | grep -c ^red-) -lt 2"}}
steps:
- {shell: 'sh "$ACTS" first \${ARG}', commit_required: false, commit_message: "first \${ARG}", validation: [one-red]}
- {shell: 'sh "$ACTS" late \${ARG}', commit_required: false, condition: "startsWith(\${ARG}, 'late')"}
- {shell: 'sh "$ACTS" hang \${ARG}', commit_required: false, condition: "startsWith(\${ARG}, 'hang')", timeout: 2}
- {shell: 'sh "$ACTS" dirt \${ARG}', commit_required: false, auto_commit: false, condition: "startsWith(\${ARG}, 'dirt')"}
`;

/** How an input of a kind may end: status, why, and whether its worktree is still there. */
export const ENDS: Readonly<Record<string, readonly string[]>> = {
  own: ["completed"],
  auto: ["completed"],
  both: ["completed"],
  same: ["completed", "failed merge-conflict kept"],
  red: ["completed", "failed merge-gate kept", "failed step-failed kept"],
  none: ["completed"],
  back: ["completed"],
  held: ["completed"],
  tip: ["completed"],
  dirt: ["completed kept"],
  stuck: ["failed step-failed kept"],
  fail: ["failed step-failed kept"],
  hang: ["failed step-failed kept"],
  "late-stuck": ["failed merge-gate kept"],
  "late-gone": ["failed step-failed kept"],
  "late-fail": ["failed step-failed kept"],
  "late-switch": ["failed step-failed kept"],
  "late-reset": ["failed step-failed kept"],
  "late-amend": ["failed step-failed kept"],
  "late-detach": ["failed step-failed kept"],
  "late-unbranch": ["failed step-failed kept"],
};

export function kindOf(input: string): string {
  return input.replace(/-\d+$/, "");
}

/** The two that wait for each other stand together; the others come in any order. */
export function inputsOf(random: () => number): readonly string[] {
  const rest = [...Object.keys(ENDS), "red", "auto"].filter((kind) => kind !== "same");
  const drawn = rest
    .map((kind) => ({ kind, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ kind }) => kind);
  const at = Math.floor(random() * 5);
  const kinds = [...drawn.slice(0, at), "same", "same", ...drawn.slice(at)];
  return kinds.slice(0, 20).map((kind, index) => `${kind}-${index + 1}`);
}

/** Park and Miller's: the same inputs for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const HELD_MS = 400;

/** Holds an index when an input asks for it; call what it returns at the end. */
export function holdOnDemand(out: string): () => void {
  for (const name of ["asked", "held", "made", "met"])
    mkdirSync(path.join(out, name), { recursive: true });
  const waits = new Set<NodeJS.Timeout>();
  const look = setInterval(() => {
    for (const input of readdirSync(path.join(out, "asked"))) {
      const file = path.join(out, "asked", input);
      const lock = path.join(readFileSync(file, "utf8").trim(), "index.lock");
      if (existsSync(lock)) continue; // git is at work there
      writeFileSync(lock, "", { flag: "wx" });
      rmSync(file);
      writeFileSync(path.join(out, "held", input), "");
      waits.add(setTimeout(() => rmSync(lock, { force: true }), HELD_MS));
    }
  }, 10);
  return () => {
    clearInterval(look);
    for (const wait of waits) clearTimeout(wait);
  };
}

/** What the steps say they have committed: input to commits. */
export function madeBySteps(out: string): ReadonlyMap<string, readonly string[]> {
  const folder = path.join(out, "made");
  return new Map(
    readdirSync(folder).map((input) => [
      input,
      readFileSync(path.join(folder, input), "utf8").trim().split("\n"),
    ]),
  );
}
