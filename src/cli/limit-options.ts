/** Options that bound what a session may spend (spec 1, 6.5). */
import { type Command, InvalidArgumentError } from "commander";
import type { CookRequest } from "../app/cook-request.ts";
import { parseDuration } from "../lib/duration.ts";

export interface LimitOptions {
  readonly maxCost?: number;
  readonly maxTokens?: number;
  readonly maxDuration?: number;
  readonly allowUnknownCost?: boolean;
  readonly wait?: boolean;
}

export function addLimitOptions(command: Command): Command {
  return command
    .option("--max-cost <usd>", "suspend before Claude steps once this much is spent", dollars)
    .option("--max-tokens <n>", "suspend before Claude steps once so many are used", tokens)
    .option("--max-duration <time>", "suspend after so much time at work, as in 2h", duration)
    .option("--allow-unknown-cost", "go on when Claude does not say what a step cost")
    .option("--wait", "at a usage limit of the service: sleep until its reset");
}

export function limitsAsked(options: LimitOptions): CookRequest["limits"] {
  return {
    costUsd: options.maxCost ?? null,
    tokens: options.maxTokens ?? null,
    durationMs: options.maxDuration ?? null,
    allowUnknownCost: options.allowUnknownCost ?? false,
    wait: options.wait ?? false,
  };
}

function dollars(value: string): number {
  const number = Number(value.replace(/^\$/, ""));
  if (/^\$?\d{1,12}(\.\d{1,6})?$/.test(value) && number > 0) return number;
  throw new InvalidArgumentError("it must be a number of US dollars above 0, as in 2.50");
}

function tokens(value: string): number {
  const number = Number(value);
  if (/^\d{1,15}$/.test(value) && number > 0) return number;
  throw new InvalidArgumentError("it must be a whole number above 0");
}

function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms !== null && ms > 0) return ms;
  throw new InvalidArgumentError("it must be a time above 0, as in 90s, 1h30m or 2h");
}
