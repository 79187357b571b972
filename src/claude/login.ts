/** What can be seen of a login without asking the service, which might cost something. */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { asObject, asString, parseJson } from "../lib/json.ts";

/** Each is a login by itself; the CLI looks for them in this order. */
const VARIABLES = [
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_API_KEY",
  "CLAUDE_CODE_OAUTH_TOKEN",
];

/** Where a login was seen, never what it is; `null`: nowhere (a keychain may still hold one). */
export async function findLogin(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  const variable = VARIABLES.find((name) => (env[name] ?? "") !== "");
  if (variable !== undefined) return variable;
  const home = env["HOME"] ?? "";
  const folder = env["CLAUDE_CONFIG_DIR"] ?? path.join(home, ".claude");
  const credentials = path.join(folder, ".credentials.json");
  if ((await objectIn(credentials)) !== null) return credentials;
  const settings = path.join(folder, "settings.json");
  const helper = asString((await objectIn(settings))?.["apiKeyHelper"]);
  if (helper !== null) return `apiKeyHelper of ${settings}`;
  const account = path.join(env["CLAUDE_CONFIG_DIR"] ?? home, ".claude.json");
  return asObject((await objectIn(account))?.["oauthAccount"]) === null ? null : account;
}

async function objectIn(file: string) {
  const text = await fs.readFile(file, "utf8").catch(() => "");
  return asObject(parseJson(text));
}
