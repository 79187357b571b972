#!/usr/bin/env node
// A program that behaves like the Claude CLI as a scenario tells it. Plain Node, no dependencies.
// The scenario's format is typed and explained in ../fake-claude.ts, which is how tests use it.
//
// Scenario: $FAKE_CLAUDE_SCENARIO, else `scenario.json` beside the link it was started by. Which calls are
// used up is kept in files beside the scenario, so that several processes may share one.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const scenarioFile =
  process.env.FAKE_CLAUDE_SCENARIO ?? path.join(path.dirname(process.argv[1]), "scenario.json");
const scenario = JSON.parse(fs.readFileSync(scenarioFile, "utf8"));
const stateDirectory = path.dirname(scenarioFile);
const argv = process.argv.slice(2);
const model = scenario.model ?? "claude-fake-1";
const session = "00000000-0000-4000-8000-000000000000";

if (argv.includes("--version")) {
  process.stdout.write(`${scenario.version ?? "2.1.112 (Claude Code)"}\n`);
  process.exit(0);
}

// Like the real one, it waits for the end of standard input: an open pipe hangs it (F01).
const stdin = fs.readFileSync(0).toString("utf8");
const separator = argv.indexOf("--");
const prompt = separator === -1 ? stdin : argv.slice(separator + 1).join(" ");
const call = claim();
fs.appendFileSync(
  path.join(stateDirectory, "calls.jsonl"),
  `${JSON.stringify({ argv, prompt, stdin, cwd: process.cwd(), env: process.env, pid: process.pid, call: call?.index ?? null })}\n`,
);
if (call === undefined) {
  process.stderr.write(
    `fake-claude: the scenario has no call left for ${JSON.stringify(prompt)}\n`,
  );
  process.exit(97);
}

for (const act of actsOf(call)) await perform(act);
if (call.linger === true) setInterval(() => {}, 1000);
else process.exitCode = call.exit ?? 0;

/** The first call that is not used up and whose `prompt` is part of the prompt; it is ours alone from now on. */
function claim() {
  for (const [index, candidate] of (scenario.calls ?? []).entries()) {
    if (candidate.prompt !== undefined && !prompt.includes(candidate.prompt)) continue;
    if (candidate.times === "always") return { ...candidate, index };
    for (let n = 0; n < (candidate.times ?? 1); n += 1) {
      try {
        fs.closeSync(fs.openSync(path.join(stateDirectory, `claimed-${index}-${n}`), "wx"));
        return { ...candidate, index };
      } catch (error) {
        if (error.code !== "EEXIST") throw error;
      }
    }
  }
  return undefined;
}

/** The short form (`writes`, `commit`, `text`) is spelt out into acts. */
function actsOf(call) {
  if (call.do !== undefined) return call.do;
  const acts = [{ init: {} }];
  for (const [file, content] of Object.entries(call.writes ?? {}))
    acts.push(content === null ? { remove: file } : { write: file, content });
  if (call.commit !== undefined) acts.push({ commit: call.commit });
  acts.push({ say: call.text ?? "done" }, { result: { result: call.text ?? "done" } });
  return acts;
}

async function perform(act) {
  if (act.event !== undefined) line(act.event);
  else if (act.init !== undefined) line({ ...initEvent(), ...act.init });
  else if (act.say !== undefined) line(assistant({ type: "text", text: act.say }));
  else if (act.tool !== undefined)
    line(assistant({ type: "tool_use", id: "toolu_1", name: act.tool, input: act.input ?? {} }));
  else if (act.result !== undefined) line({ ...resultEvent(), ...act.result });
  else if (act.raw !== undefined) write(1, Buffer.from(act.raw, act.encoding ?? "utf8"));
  else if (act.stderr !== undefined) write(2, Buffer.from(act.stderr));
  else if (act.write !== undefined) writeFile(act);
  else if (act.remove !== undefined) fs.rmSync(act.remove, { recursive: true });
  else if (act.commit !== undefined) commit(act.commit);
  else if (act.touch !== undefined) fs.writeFileSync(act.touch, "");
  else if (act.waitFor !== undefined) await appearance(act.waitFor);
  else if (act.ignore !== undefined) for (const name of act.ignore) process.on(name, () => {});
  else if (act.spawn !== undefined) spawnChild(act);
  else if (act.run !== undefined) run(act.run);
  else if (act.exit !== undefined) process.exit(act.exit);
  else if (act.kill !== undefined) process.kill(process.pid, act.kill);
  else throw new Error(`fake-claude: unknown act ${JSON.stringify(act)}`);
}

function write(fd, bytes) {
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

function line(event) {
  write(1, Buffer.from(`${JSON.stringify(event)}\n`));
}

function initEvent() {
  return {
    type: "system",
    subtype: "init",
    cwd: process.cwd(),
    session_id: session,
    tools: ["Bash", "Edit", "Read", "Write"],
    mcp_servers: [],
    model,
    permissionMode: "bypassPermissions",
    slash_commands: scenario.slashCommands ?? [],
    claude_code_version: /[\d.]+/.exec(scenario.version ?? "2.1.112")?.[0],
    uuid: session,
  };
}

function assistant(block) {
  const message = { id: "msg_1", type: "message", role: "assistant", model, content: [block] };
  return { type: "assistant", message, parent_tool_use_id: null, session_id: session };
}

function resultEvent() {
  const cost = call.cost === undefined ? 0.01 : call.cost;
  const usage = {
    inputTokens: 100,
    outputTokens: 20,
    cacheReadInputTokens: 0,
    cacheCreationInputTokens: 0,
    webSearchRequests: 0,
    costUSD: cost,
    contextWindow: 200000,
  };
  return {
    type: "result",
    subtype: "success",
    is_error: false,
    duration_ms: 10,
    duration_api_ms: 8,
    num_turns: 1,
    result: "done",
    session_id: session,
    total_cost_usd: cost,
    usage: { input_tokens: 100, output_tokens: 20 },
    modelUsage: { [model]: usage },
    permission_denials: [],
    ...structured(),
  };
}

/** With `--json-schema` the least that fits it. */
function structured() {
  const option = argv.find((word) => word.startsWith("--json-schema="));
  if (option === undefined) return {};
  const schema = JSON.parse(option.slice("--json-schema=".length));
  const values = { number: 82, integer: 82, boolean: true, array: [], object: {} };
  const fields = Object.entries(schema.properties ?? {});
  const answer = fields.map(([name, { type }]) => [name, values[type] ?? "done"]);
  return { structured_output: Object.fromEntries(answer) };
}

function writeFile(act) {
  fs.mkdirSync(path.dirname(path.resolve(act.write)), { recursive: true });
  fs.writeFileSync(act.write, act.content ?? "");
  if (act.mode !== undefined) fs.chmodSync(act.write, act.mode);
}

function commit(message) {
  run(["git", "add", "-A"]);
  run(["git", "commit", "-q", "-m", message]);
}

function run([program, ...args]) {
  const end = spawnSync(program, args, { encoding: "utf8" });
  if (end.status === 0) return;
  process.stderr.write(`fake-claude: ${program} ${args.join(" ")}: ${end.stderr ?? end.error}\n`);
  process.exit(98);
}

/** A child that outlives the call unless its tree is ended; `session: true` puts it in a session of its own. */
function spawnChild(act) {
  const [program, ...args] = act.spawn;
  const child = spawn(program, args, {
    detached: act.session === true,
    stdio: act.stdio ?? "ignore",
  });
  child.unref();
  if (act.pidFile !== undefined) fs.writeFileSync(act.pidFile, String(child.pid));
}

/** Polled: a watcher would need the folder to exist. */
async function appearance(file) {
  while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10));
}
