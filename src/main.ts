#!/usr/bin/env node
import { unreachable } from "./lib/unreachable.ts";
import { ok } from "./lib/result.ts";

const start = ok(0);
process.exitCode = start.ok ? start.value : unreachable(start.error);
