/** Which code runs which kind; a new kind is one line here. */
import { unreachable } from "../lib/unreachable.ts";
import type { KindRequest, Prepared } from "../engine/kind.ts";
import { prepareAnalyze } from "./run-analyze.ts";
import { prepareClaude } from "./run-claude.ts";
import { prepareForeach } from "./run-foreach.ts";
import { prepareShell } from "./run-shell.ts";

export async function prepareStep(request: KindRequest): Promise<Prepared> {
  const { planned } = request;
  switch (planned.kind) {
    case "claude":
      return prepareClaude({ ...request, planned });
    case "shell":
      return prepareShell({ ...request, planned });
    case "analyze":
      return prepareAnalyze({ ...request, planned });
    case "foreach":
      return prepareForeach({ ...request, planned });
    default:
      return unreachable(planned);
  }
}
