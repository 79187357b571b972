/** The signs lines begin with; `--no-emoji` has an ASCII word for each (spec 1, 10). */
export interface Symbols {
  readonly start: string;
  readonly workflow: string;
  readonly plan: string;
  readonly iteration: string;
  readonly input: string;
  readonly step: string;
  readonly item: string;
  readonly claude: string;
  readonly repair: string;
  readonly lint: string;
  readonly shell: string;
  readonly analyze: string;
  readonly gate: string;
  readonly done: string;
  readonly failed: string;
  readonly warning: string;
  readonly info: string;
  readonly skipped: string;
  readonly again: string;
  readonly commit: string;
  readonly undone: string;
  readonly stopped: string;
  readonly paused: string;
  readonly waiting: string;
  readonly replay: string;
  readonly worktree: string;
  /** Before each line of a child's output. */
  readonly bar: string;
  readonly tool: string;
  readonly bullet: string;
  /** Between the facts of the live line. */
  readonly dot: string;
  readonly ellipsis: string;
  readonly spinner: readonly string[];
}

/** Two spaces after signs that many terminals draw wider than they count them. */
const EMOJI: Symbols = {
  start: "🔍",
  workflow: "📋",
  plan: "📝",
  iteration: "🔄",
  input: "📥",
  step: "📋",
  item: "🔹",
  claude: "🤖",
  repair: "🔧",
  lint: "🧹",
  shell: "⚙️ ",
  analyze: "🔬",
  gate: "🔎",
  done: "✅",
  failed: "❌",
  warning: "⚠️ ",
  info: "ℹ️ ",
  skipped: "⏩",
  again: "🔁",
  commit: "📦",
  undone: "⏪",
  stopped: "🛑",
  paused: "⏸️ ",
  waiting: "⏳",
  replay: "📼",
  worktree: "🌳",
  bar: "│",
  tool: "▸",
  bullet: "•",
  dot: " · ",
  ellipsis: "…",
  spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

const ASCII: Symbols = {
  start: "==>",
  workflow: "==>",
  plan: "==>",
  iteration: "==>",
  input: "==>",
  step: "-->",
  item: "-->",
  claude: "->",
  repair: "->",
  lint: "->",
  shell: "->",
  analyze: "->",
  gate: "->",
  done: "ok",
  failed: "error:",
  warning: "warning:",
  info: "note:",
  skipped: "skip",
  again: "->",
  commit: "+",
  undone: "undone:",
  stopped: "stopped:",
  paused: "suspended:",
  waiting: "...",
  replay: "replay:",
  worktree: "tree:",
  bar: "|",
  tool: ">",
  bullet: "-",
  dot: " | ",
  ellipsis: "...",
  spinner: ["|", "/", "-", "\\"],
};

export function chooseSymbols(emoji: boolean): Symbols {
  return emoji ? EMOJI : ASCII;
}
