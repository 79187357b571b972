/** How an `analyze:` step runs: it refreshes the context for Claude (spec 2.7). */
import type { KindRequest, Prepared } from "../engine/kind.ts";
import type { PlannedAnalyze } from "../playbook/plan-model.ts";

export async function prepareAnalyze(request: KindRequest<PlannedAnalyze>): Promise<Prepared> {
  const { frame, planned } = request;
  const { analysis, clock, store } = frame.run.ports;
  return Promise.resolve({
    kind: "ready",
    rendered: "analyze",
    log: null,
    warnings: [],
    execute: async (hooks, _signal, unit) => {
      const start = clock.monotonicMs();
      const { text } = await analysis.refresh(planned.step.options);
      const file = await store.writeOutput(`${unit}.analysis`, text);
      hooks.onOutput(`${text}\n`);
      return {
        end: null,
        durationMs: clock.monotonicMs() - start,
        failure: null,
        cut: null,
        tail: "",
        outputFile: file,
        stdoutFile: null,
        stderrFile: null,
        usage: null,
        turns: null,
        model: null,
        warnings: [],
      };
    },
  });
}
