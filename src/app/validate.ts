/** `mmm validate PLAYBOOK...`: every problem with its place; knows no inputs (spec 1). */
import { existsSync } from "node:fs";
import path from "node:path";
import { readPlaybook, withoutText } from "../playbook/read.ts";
import type { Diagnostic } from "../playbook/diagnostic.ts";
import { conditionsOf } from "../playbook/conditions.ts";
import { inOrder, planRead } from "../playbook/plan-read.ts";
import {
  renderDiagnostics,
  renderDiagnosticsGithub,
  renderDiagnosticsJson,
} from "../playbook/print.ts";
import { commandsOf } from "../playbook/plan-steps.ts";
import type { SourceFile } from "../playbook/source.ts";
import type { Invocation } from "./cook-request.ts";
import { MmmError } from "../errors.ts";
import { printable } from "../lib/printable.ts";
import { findPlaybook, type PlaybookFile } from "./playbook-file.ts";

const FORMATS = {
  text: renderDiagnostics,
  json: renderDiagnosticsJson,
  github: renderDiagnosticsGithub,
};

export async function validate(
  request: { readonly playbooks: readonly string[]; readonly format: "text" | "json" | "github" },
  invocation: Invocation,
): Promise<number> {
  let failed = false;
  const place = placeOf(invocation);
  for (const typed of request.playbooks) {
    let found: PlaybookFile;
    try {
      found = findPlaybook(typed, invocation);
    } catch (error) {
      if (!(error instanceof MmmError)) throw error;
      const lines = [`mmm: ${error.message}`, ...error.next.map((line) => `  ${line}`)];
      invocation.stderr.write(printable(`${lines.join("\n")}\n`));
      failed = true;
      // Programs read standard output alone: a playbook that is not there is a problem like others.
      if (request.format !== "text") {
        const { source, diagnostics } = withoutText(typed, error);
        invocation.print(FORMATS[request.format](source, diagnostics));
      }
      continue;
    }
    const { source, diagnostics } = await check(found, place, invocation);
    const errors = diagnostics.filter(({ severity }) => severity === "error").length;
    failed ||= errors > 0;
    invocation.print(FORMATS[request.format](source, diagnostics));
    if (request.format === "text" && errors === 0) invocation.print(`${found.shown}: ok\n`);
  }
  return failed ? 2 : 0;
}

interface Place {
  readonly cwd: string;
  /** Top of the repository around `cwd`, else `cwd` itself. */
  readonly root: string;
}

/** Git is asked once, and only where a playbook calls a command, below a repository's top: to start it takes as long as all the rest. */
function placeOf({ cwd, env }: Invocation): () => Promise<Place> {
  const ask = async (): Promise<Place> => {
    if (existsSync(path.join(cwd, ".git"))) return { cwd, root: cwd };
    const { findRepository } = await import("../git/repository.ts");
    try {
      return { cwd, root: (await findRepository(cwd, env)).root };
    } catch (error) {
      // What keeps a run from starting here says nothing about a playbook.
      if (error instanceof MmmError) return { cwd, root: cwd };
      throw error;
    }
  };
  let asked: Promise<Place> | null = null;
  return () => (asked ??= ask());
}

async function check(
  found: PlaybookFile,
  place: () => Promise<Place>,
  invocation: Invocation,
): Promise<{ readonly source: SourceFile; readonly diagnostics: readonly Diagnostic[] }> {
  const read = readPlaybook(found.shown, found.bytes);
  const { source } = read;
  const { diagnostics } = planRead(read, {
    inputs: "unknown",
    maxIterations: null,
    environment: null,
    claude: { above: {}, below: {} },
    commandRules: new Map(),
    conditions: await conditionsOf(read),
  });
  const known = read.playbook ?? read.partial?.playbook;
  if (known === undefined) return { source, diagnostics };
  if (commandsOf(known).length === 0) return { source, diagnostics };
  const { lookUpCommands } = await import("./claude-check.ts");
  const lookup = await lookUpCommands(known, { ...(await place()), replay: false }, invocation);
  // A playbook is good wherever its commands are installed: here they are warnings, at cook errors.
  const { diagnostics: wrong, unknown, mistakes } = lookup;
  const commands = [...wrong, ...unknown, ...mistakes].map((each): Diagnostic => ({
    ...each,
    severity: "warning",
  }));
  return { source, diagnostics: inOrder([...diagnostics, ...commands]) };
}
