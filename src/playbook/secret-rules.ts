/** Where the value of a secret may go (spec 2.2, 3.2), and what looks like one that is written down. */
import { nearest } from "../lib/nearest.ts";
import type { Reference } from "../values/reference.ts";
import type { Range } from "./diagnostic.ts";
import type { Playbook, SourceText, Step } from "./model.ts";
import type { NameProblem } from "./name-problems.ts";

/** The text a reference stands in. */
export type TextPlace = "plain" | "shell" | "prompt" | "env" | "header-env";

/** The variables of one step that hold a secret. */
export class SecretRules {
  readonly #names: readonly string[];
  /** A secret's own name, or the variable it comes from: to its name. */
  readonly #variables: ReadonlyMap<string, string>;
  /** Variables of the step's own `env` that were made with a secret. */
  #made = new Map<string, string>();
  #step: Step | null = null;
  /** Places already told: `defaults` brings them to every step. */
  readonly #told = new Set<number>();

  constructor({ secrets }: Playbook) {
    this.#names = secrets.map(({ name }) => name);
    const sources = secrets.flatMap(({ name, from }) =>
      from.kind === "env" ? [[from.name, name] as const] : [],
    );
    this.#variables = new Map([...sources, ...this.#names.map((name) => [name, name] as const)]);
  }

  /** From now on texts are this step's; `null`: of the playbook, behind all steps. */
  enter(step: Step | null): void {
    this.#step = step;
    this.#made = new Map();
  }

  /** From now on texts are the step's gates': commands for the shell, also at a Claude step. */
  enterGates(): void {
    this.#step = null;
  }

  /** `env: {NAME: VALUE}` of the step, whose references are these. */
  declare(name: string, references: readonly Reference[]): void {
    for (const reference of references) {
      const secret = this.#secretOf(reference);
      if (secret !== null) this.#made.set(name, secret);
    }
  }

  check(reference: Reference, place: TextPlace): NameProblem | null {
    const secret = this.#secretOf(reference);
    if (secret === null) return null;
    const { text, filter } = reference;
    if (place === "header-env") {
      const message = `${text}: the header's \`env\` reaches every step, and the secret ${secret} must not`;
      return {
        code: "secret-in-header",
        message,
        help: "put it under `env` of the steps it is for",
      };
    }
    const claude = this.#step?.kind === "claude";
    if (place === "prompt" || (claude && place === "plain")) {
      const message = `${text}: a secret does not go into a prompt or what is told of it`;
      const help = `write \`secrets: [${secret}]\` at the step: commands that Claude runs see $${secret}`;
      return { code: "secret-in-prompt", message, help };
    }
    if (claude && !this.#listed().includes(secret)) {
      const message = `${text}: a Claude step gets the secrets it lists`;
      return {
        code: "secret-not-listed",
        message,
        help: `write \`secrets: [${secret}]\` at the step`,
      };
    }
    if (filter !== "raw" && filter !== "file") return null;
    const where = filter === "raw" ? "into the text of a command, which others can see" : "on disk";
    const message = `${text}: the filter ${filter} would put the secret ${secret} ${where}`;
    return { code: "secret-filter", message, help: "leave it out: the value goes by a variable" };
  }

  /** Names under `secrets` of the step that the header does not declare, and secrets that its `env` sets. */
  problemsOf(step: Step): readonly (NameProblem & { readonly source: SourceText })[] {
    const set = step.env.filter(({ name }) => this.#names.includes(name));
    const clashes = set.map(({ name, value }) => ({
      code: "secret-in-env",
      message: `\`${name}\` is a secret, and set under \`env\``,
      help: "take one of them away",
      source: value,
    }));
    const unknown = step.secrets.flatMap((source) => {
      const { value: name } = source;
      if (this.#names.includes(name)) return [];
      const near = nearest(name, this.#names);
      const help =
        near === null
          ? `declare it in the header: \`secrets: {NAME: {env: NAME}}\``
          : `did you mean \`${near}\`?`;
      return [{ code: "unknown-secret", message: `no secret is called \`${name}\``, help, source }];
    });
    return [...clashes, ...unknown].filter(({ source: { range } }) => {
      const isNew = !this.#told.has(range.start);
      this.#told.add(range.start);
      return isNew;
    });
  }

  #listed(): readonly string[] {
    return this.#step?.secrets.map(({ value }) => value) ?? [];
  }

  #secretOf({ path: [head, name] }: Reference): string | null {
    if (head !== "env" || typeof name !== "string") return null;
    return this.#made.get(name) ?? this.#variables.get(name) ?? null;
  }
}

/** Keys as their makers shape them; each has a fixed start and bounded parts. */
const KEYS =
  /\b(?:sk-(?:ant-|proj-)?[\w-]{20,200}|gh[pousr]_\w{30,200}|github_pat_\w{30,200}|glpat-[\w-]{20,100}|A(?:KIA|SIA)[0-9A-Z]{16}|xox[abprs]-[\w-]{10,200}|AIza[\w-]{35}|npm_\w{36}|eyJ[\w-]{10,500}\.eyJ[\w-]{10,2000}\.[\w-]{10,500})|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/g;
/** Names of variables whose value is to be kept. */
const TELLING =
  /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_KEY|PRIVATE_KEY)$/i;

/** Does a variable of this name hold a secret, most likely? */
export function soundsSecret(name: string): boolean {
  return TELLING.test(name);
}

/** A shorter one is a placeholder. */
const MIN_LETTERS = 8;

/** Nobody mends more at once. */
const MAX_KEYS = 50;

/** What looks like a secret in the text of a playbook. */
export function plainSecrets(
  playbook: Playbook,
  steps: Iterable<Step>,
): readonly { readonly range: Range; readonly name: string | null }[] {
  const found: { range: Range; name: string | null }[] = [];
  for (const match of playbook.text.matchAll(KEYS)) {
    if (found.length >= MAX_KEYS) break;
    found.push({ range: { start: match.index, end: match.index + match[0].length }, name: null });
  }
  const isTold = ({ start, end }: Range): boolean =>
    found.some(({ range }) => range.start < end && start < range.end);
  const look = (env: Step["env"]): void => {
    for (const { name, value } of env) {
      if (found.length >= MAX_KEYS) return;
      if (!TELLING.test(name) || value.value.length < MIN_LETTERS) continue;
      if (!/[$\s]/.test(value.value) && !isTold(value.range))
        found.push({ range: value.range, name });
    }
  };
  look(playbook.env);
  for (const step of steps) look(step.env);
  return found;
}
