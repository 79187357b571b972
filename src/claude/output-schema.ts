/** `output_schema` as the text that the CLI gets; asked before anything is paid for. */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { asObject, parseJson } from "../lib/json.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { OutputSchema } from "../playbook/model.ts";

/** One argument of a command line has 131 071 bytes. */
const MAX_BYTES = 100_000;

/** @param cwd where the step runs. */
export async function readSchema(
  schema: OutputSchema | null,
  cwd: string,
): Promise<Result<string | null, string>> {
  if (schema === null) return ok(null);
  if (schema.kind === "inline") return ok(schema.json);
  const file = path.resolve(cwd, schema.path);
  let text: string;
  try {
    const { size } = await fs.stat(file);
    if (size > MAX_BYTES)
      return err(`output_schema ${schema.path} has ${size} bytes; ${MAX_BYTES} are the most`);
    text = await fs.readFile(file, "utf8");
  } catch (error) {
    return err(`output_schema ${schema.path} cannot be read: ${(error as Error).message}`);
  }
  const value = asObject(parseJson(text));
  if (value === null) return err(`output_schema ${schema.path} holds no JSON object`);
  if (value["type"] !== "object")
    return err(`output_schema ${schema.path} must say "type": "object" at its top`);
  return ok(JSON.stringify(value));
}
