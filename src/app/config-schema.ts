/** Keys of `config.yml` (spec 1). */
import * as z from "zod";
import { limitsSchema } from "../playbook/limits.ts";
import { setupSchema } from "../playbook/worktree.ts";
import { claudeOptions } from "../steps/claude.ts";
import * as is from "../steps/schema.ts";

const { model, permission_mode, allowed_tools } = claudeOptions;
const command = is.text.optional();

export const configShape = {
  claude: z
    .strictObject(
      {
        bin: is.text.optional(),
        model,
        permission_mode,
        allowed_tools,
        strict_permissions: is.bool.optional(),
      },
      { error: "a mapping, as in {model: opus}" },
    )
    .optional(),
  limits: limitsSchema().optional(),
  worktree: setupSchema().optional(),
  project: z
    .strictObject(
      { test: command, lint: command, build: command, format: command, bench: command },
      { error: "a mapping, as in {test: npm test}" },
    )
    .optional(),
};
