/** `mmm validate PLAYBOOK...`: every problem with its place; knows no inputs (spec 1). */
import { readPlaybook } from "../playbook/read.ts";
import type { Diagnostic } from "../playbook/diagnostic.ts";
import { planRead } from "../playbook/plan-read.ts";
import {
  renderDiagnostics,
  renderDiagnosticsGithub,
  renderDiagnosticsJson,
} from "../playbook/print.ts";
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
  for (const typed of request.playbooks) {
    let found: PlaybookFile;
    try {
      found = await findPlaybook(typed, invocation);
    } catch (error) {
      if (!(error instanceof MmmError)) throw error;
      const lines = [`mmm: ${error.message}`, ...error.next.map((line) => `  ${line}`)];
      invocation.stderr.write(printable(`${lines.join("\n")}\n`));
      failed = true;
      continue;
    }
    const { source, diagnostics } = check(found);
    const errors = diagnostics.filter(({ severity }) => severity === "error").length;
    failed ||= errors > 0;
    invocation.stdout.write(FORMATS[request.format](source, diagnostics));
    if (request.format === "text" && errors === 0) invocation.stdout.write(`${found.shown}: ok\n`);
  }
  return failed ? 2 : 0;
}

function check(found: PlaybookFile): {
  readonly source: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
} {
  const read = readPlaybook(found.shown, found.bytes);
  const { diagnostics } = planRead(read, {
    inputs: "unknown",
    maxIterations: null,
    environment: null,
    claude: { above: {}, below: {} },
    commandRules: new Map(),
  });
  return { source: read.source, diagnostics };
}
