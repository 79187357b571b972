/** What is told of a playbook beside its errors. */
import { shellWord } from "../lib/shell-word.ts";
import { type Diagnostic, PLAIN_SECRET } from "./diagnostic.ts";
import type { Playbook } from "./model.ts";
import type { PlanRequest } from "./plan-request.ts";
import { everyStepOf } from "./plan-steps.ts";
import { warningsOn } from "./plan-warnings.ts";
import { plainSecrets } from "./secret-rules.ts";

/** Without `params` nobody has been asked for the values yet. */
export function notesOn(
  playbook: Playbook,
  { params }: Pick<PlanRequest, "params">,
): readonly Diagnostic[] {
  return [
    ...(params === undefined ? requiredParams(playbook) : []),
    ...writtenSecrets(playbook),
    ...warningsOn(playbook),
  ];
}

/** A note for each parameter that somebody has to give. */
function requiredParams({ params, file }: Playbook): readonly Diagnostic[] {
  return params
    .filter(({ required }) => required)
    .map(({ name, type, range }) => {
      const message = `the parameter ${name} is required`;
      const help = `mmm cook ${shellWord(file)} --param ${name}=${type.toUpperCase()}`;
      return { code: "needs-param", severity: "note", message, range, help };
    });
}

/** A warning for each text that looks like a secret. */
function writtenSecrets(playbook: Playbook): readonly Diagnostic[] {
  return plainSecrets(playbook, everyStepOf(playbook)).map(({ range, name }) => {
    const what = name === null ? "this looks like a secret" : `${name} looks like a secret`;
    const declared = name ?? "API_TOKEN";
    const help = `give it by the environment: \`secrets: {${declared}: {env: ${declared}}}\` in the header`;
    const message = `${what}, in plain text`;
    return { code: PLAIN_SECRET, severity: "warning", message, range, help };
  });
}
