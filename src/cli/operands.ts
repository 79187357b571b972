/** `mmm cook` takes one operand; several are most often a pattern that the shell has expanded. */
import path from "node:path";
import { MmmError } from "../errors.ts";

/** Throws `MmmError` (exit 2) for more than one operand. */
export function checkOperands(operands: readonly string[], map: readonly string[]): void {
  if (operands.length <= 1) return;
  const mapped = map.at(-1);
  const message = `cook takes one playbook, not ${operands.length}: ${shown(operands)}`;
  const next =
    mapped === undefined ? [] : [`quote the pattern: --map '${pattern(mapped, operands)}'`];
  throw new MmmError("too-many-operands", 2, { message: `too many arguments: ${message}`, next });
}

function shown(operands: readonly string[]): string {
  const list = operands.slice(0, 5).map((each) => each.slice(0, 100));
  return [...list, ...(operands.length > 5 ? ["..."] : [])].join(" ");
}

/** The pattern as it may have been typed: what the first file of it has in common with another one. */
function pattern(mapped: string, operands: readonly string[]): string {
  const { dir, ext } = path.parse(mapped);
  const alike = operands.map((each) => path.parse(each)).filter((each) => each.dir === dir);
  if (alike.length === 0 || mapped.includes("'")) return "PATTERN";
  const star = ext !== "" && alike.some((each) => each.ext === ext) ? `*${ext}` : "*";
  return dir === "" ? star : `${dir}/${star}`;
}
