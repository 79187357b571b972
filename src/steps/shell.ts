import * as z from "zod";
import type { SourceText } from "../playbook/model.ts";
import type { Entries } from "../playbook/tree.ts";
import { entriesOf, optionalText, requiredText } from "../playbook/values-of.ts";
import type { StepKind } from "./kind.ts";
import { stepOptions } from "./options.ts";
import * as is from "./schema.ts";
import { later, once, together } from "./shape.ts";

const body = once(() => z.strictObject({ run: is.text, stdin: is.anyText.optional() }));

/** `shell: "..."` or `shell: {run, stdin}`: a command for `sh -c`. */
export const shellKind: StepKind = {
  key: "shell",
  weak: false,
  shape: together(
    later({
      shell: () =>
        z.union([is.text, body()], { error: "a text that is not empty, or {run, stdin}" }),
    }),
    stepOptions,
  ),
  read: (entries) => ({
    kind: "shell",
    run: runOf(entries),
    stdin: optionalText(entriesOf(entries.get("shell")?.value), "stdin"),
  }),
  label: (entries) => runOf(entries).value,
};

function runOf(entries: Entries): SourceText {
  const shell = entries.get("shell")?.value;
  return shell?.kind === "mapping"
    ? requiredText(shell.entries, "run")
    : requiredText(entries, "shell");
}
