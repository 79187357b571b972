import type { Reference } from "../reference.ts";
import { err, ok, type Result } from "../../lib/result.ts";
import { checkScan, type ShellPlan, type ShellText } from "./compile.ts";
import { errorAt, type ShellProblem, type Span } from "./problem.ts";
import type { Recognised } from "./scan-model.ts";
import { scanShell } from "./scan.ts";

/** A text whose `|raw` values stand in it. */
export interface Spliced {
  readonly source: string;
  readonly plan: ShellPlan;
}

/**
 * Inserts the raw values and reads the whole again: their quotes change what the rest means. Nothing inside them is
 * a reference, and every reference of the author must still be one.
 */
export function spliceRaw(
  text: ShellText,
  rawText: (reference: Reference) => string,
): Result<Spliced, ShellProblem> {
  const parts: string[] = [];
  const moved = new Map<number, Recognised>();
  const spans: { readonly from: number; readonly reference: Reference }[] = [];
  let length = 0;
  let at = 0;
  for (const { reference } of text.plan.sites) {
    parts.push(text.source.slice(at, reference.start));
    length += reference.start - at;
    at = reference.end;
    const raw = reference.filter === "raw" ? rawText(reference) : null;
    spans.push({ from: length, reference });
    const inserted = raw ?? reference.text;
    if (raw === null)
      moved.set(length, { reference, end: length + inserted.length, problem: null });
    parts.push(inserted);
    length += inserted.length;
  }
  parts.push(text.source.slice(at));
  const source = parts.join("");
  // Nothing of the author's is left to quote: the text goes to the shell as it is.
  if (moved.size === 0) return ok({ source, plan: { sites: [], options: new Map() } });
  const scan = scanShell(source, (offset) => moved.get(offset) ?? null);
  if (scan.stopped !== null) {
    const { code, message, start } = scan.stopped;
    return err(errorAt(placeOf(spans, start), code, `with the raw value in it: ${message}`));
  }
  const { problems, plan } = checkScan(scan);
  const problem = problems.find((each) => each.severity === "error");
  if (problem !== undefined) return err(problem);
  const reached = new Set(scan.sites.map((site) => site.reference));
  const lost = [...moved.values()].find(
    ({ reference }) => reference !== null && !reached.has(reference),
  )?.reference;
  if (lost !== undefined && lost !== null) {
    return err(
      errorAt(
        lost,
        "raw-shift",
        `${lost.text} is no longer read as a reference with the raw value before it; keep the quotes in the value balanced`,
      ),
    );
  }
  return ok({ source, plan });
}

/** The reference at or before an offset of the spliced text: the nearest thing the author can look at. */
function placeOf(
  spans: readonly { readonly from: number; readonly reference: Reference }[],
  offset: number,
): Span {
  const before = spans.findLast((span) => span.from <= offset) ?? spans[0];
  return before?.reference ?? { start: 0, end: 0 };
}
