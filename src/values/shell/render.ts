import { err, ok, type Result } from "../../lib/result.ts";
import type { Reference } from "../reference.ts";
import { isList, itemText, textOf, type Value } from "../value.ts";
import type { ShellText } from "./compile.ts";
import { expansionOf, listPlace, singleQuote } from "./form.ts";
import { looksLikeOption, type OptionPlace } from "./lint-option.ts";
import { errorAt, type ShellProblem } from "./problem.ts";
import type { Site } from "./scan-model.ts";
import { spliceRaw } from "./splice.ts";
import { byteLength } from "../../lib/byte-length.ts";
import { type CarriedFile, Transport } from "./transport.ts";

/** A value and where it came from. */
export interface Resolved {
  readonly value: Value;
  /** It came out of a step; args, params and env are the user's own words. */
  readonly foreign: boolean;
  /**
   * Absolute path of a file that is not empty and holds the whole value: it is read from there. With the
   * filter `file` alone `value` may be empty all the same.
   */
  readonly file?: string;
}

/** What to run: `sh -c script` with `env` added. */
export interface RenderedShell {
  /** Holds no value, except those of `|raw`. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** To be written by the caller; the path of each then goes into `env[variable]`. */
  readonly files: readonly CarriedFile[];
  readonly warnings: readonly string[];
  /** Over 100 000 bytes: an argument cannot hold it, run `sh FILE`. */
  readonly scriptTooLong: boolean;
}

const MAX_SCRIPT_BYTES = 100_000;
/** Past this a list as words would outgrow what a command can take in any case. */
const MAX_WORDS = 5_000;
const WHOLE_NUMBER = /^([+-]?)0*([0-9]{1,18})$/;

/** Puts values into a text: as variables, quoted for their place (3.2). The first value that cannot be used fails it. */
export function renderShellText(
  text: ShellText,
  resolve: (reference: Reference) => Resolved,
): Result<RenderedShell, ShellProblem> {
  const hasRaw = text.references.some((reference) => reference.filter === "raw");
  const spliced = hasRaw
    ? spliceRaw(text, (reference) => settle(reference, resolve).text)
    : ok(text);
  if (!spliced.ok) return spliced;
  const { source, plan } = spliced.value;
  const nul = source.indexOf("\0");
  const raw = text.references.find((reference) => reference.filter === "raw");
  if (nul !== -1 && raw !== undefined) return err(nulProblem(raw));
  const transport = new Transport();
  const warnings: string[] = [];
  const parts: string[] = [];
  let at = 0;
  for (const site of plan.sites) {
    const given = settle(site.reference, resolve);
    const option = optionTrouble(site, given, plan.options.get(site.reference));
    if (option?.severity === "error") return err(option);
    if (option !== null) warnings.push(option.message);
    const form = formOf(site, given, transport);
    if (!form.ok) return form;
    parts.push(source.slice(at, site.start), form.value);
    at = site.end;
  }
  parts.push(source.slice(at));
  const script = transport.prelude + parts.join("");
  return ok({
    script,
    env: transport.env,
    files: transport.files,
    warnings,
    scriptTooLong: byteLength(script) > MAX_SCRIPT_BYTES,
  });
}

interface Given extends Resolved {
  readonly text: string;
}

/** The value, or the fallback when it is missing or empty. */
function settle(reference: Reference, resolve: (reference: Reference) => Resolved): Given {
  const resolved = resolve(reference);
  const text = textOf(resolved.value);
  const isThere = text !== "" || (reference.filter === "file" && resolved.file !== undefined);
  if (reference.fallback === null || isThere) return { ...resolved, text };
  return { value: reference.fallback, foreign: false, text: reference.fallback };
}

function formOf(site: Site, given: Given, transport: Transport): Result<string, ShellProblem> {
  const { reference } = site;
  if (given.text.includes("\0")) return err(nulProblem(reference));
  if (site.context === "arith") return arithmeticForm(site, given, transport);
  if (reference.filter === "file")
    return ok(expansionOf(site, transport.carryPath(given.text, given.file)));
  const { value } = given;
  if (isList(value) && listPlace(site) !== "text") return listForm(site, value, transport);
  if (reference.filter === "quote") {
    const words = isList(value)
      ? value.map((item) => singleQuote(itemText(item)))
      : [singleQuote(given.text)];
    return ok(expansionOf(site, transport.carry(words.join(" "))));
  }
  const file = isList(value) ? undefined : given.file;
  return ok(expansionOf(site, transport.carry(given.text, file)));
}

function listForm(
  site: Site,
  items: readonly Value[],
  transport: Transport,
): Result<string, ShellProblem> {
  const { reference } = site;
  if (listPlace(site) === "refused") {
    const message = `${reference.text} is a list and only a part of a word, or a name, here; write it alone, or in quotes for its items joined by spaces`;
    return err(errorAt(reference, "list-part", message));
  }
  if (items.length > MAX_WORDS) {
    const message = `${reference.text} is a list of ${items.length} items, too many for the words of a command (${MAX_WORDS}); use \${${reference.name}|file}`;
    return err(errorAt(reference, "list-long", message));
  }
  return ok(items.map((item) => expansionOf(site, transport.carry(itemText(item)))).join(" "));
}

function arithmeticForm(
  site: Site,
  given: Given,
  transport: Transport,
): Result<string, ShellProblem> {
  const match = WHOLE_NUMBER.exec(given.text);
  if (match === null) {
    const shown = JSON.stringify(given.text.slice(0, 40));
    const message = `${site.reference.text} stands in arithmetic and its value ${shown} is not a whole number`;
    return err(errorAt(site.reference, "arith", message));
  }
  // A leading zero would be octal.
  const number = `${match[1] === "-" ? "-" : ""}${match[2] ?? "0"}`;
  return ok(expansionOf(site, transport.carry(number)));
}

function optionTrouble(
  site: Site,
  given: Given,
  place: OptionPlace | undefined,
): ShellProblem | null {
  const { reference } = site;
  if (place === undefined || reference.filter === "file") return null;
  const words =
    isList(given.value) && listPlace(site) === "words" ? given.value.map(itemText) : [given.text];
  const word = words.find(looksLikeOption);
  if (word === undefined) return null;
  const refused = given.foreign && !place.afterOption;
  const shown = JSON.stringify(word.slice(0, 40));
  const message = `the value ${shown} of ${reference.text} begins with "-" and ${place.program} may read it as an option; put -- before it`;
  const severity = refused ? "error" : "warning";
  return { code: "option", severity, message, start: reference.start, end: reference.end };
}

function nulProblem(reference: Reference): ShellProblem {
  return errorAt(
    reference,
    "nul",
    `the value of ${reference.text} holds a NUL byte, which no variable can carry; write it to a file`,
  );
}
