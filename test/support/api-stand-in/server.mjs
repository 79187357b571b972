#!/usr/bin/env node
// A scripted stand-in for the Anthropic Messages API, on loopback. Plain Node, no dependencies: it also runs in
// a network namespace of its own, where the test's process is not. Started by ../api-stand-in.ts, which types
// and explains the script.
//
//     node server.mjs SCRIPT.json LOG.jsonl      prints its address when it listens; ends on SIGTERM, with
//                                                its starter (standard input closes), or after ten minutes
import fs from "node:fs";
import http from "node:http";
import { answer } from "./answer.mjs";
import { lastUserText, sideTurn, textOf } from "./side.mjs";

const [scriptFile, logFile] = process.argv.slice(2);
const script = JSON.parse(fs.readFileSync(scriptFile, "utf8"));
const logDescriptor = fs.openSync(logFile, "a");
let requests = 0;
let turn = 0;
/** How often the turn at hand has been given. */
let given = 0;

const server = http.createServer((request, response) => {
  serve(request, response).catch((error) => {
    log({ event: "stand-in-error", error: String(error?.stack ?? error) });
    response.destroy();
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
process.stdin.on("end", () => process.exit(0)).resume();
setTimeout(() => process.exit(1), 600_000).unref();

async function serve(request, response) {
  request.on("error", () => {});
  response.on("error", () => {});
  requests += 1;
  const n = requests;
  const text = await bodyOf(request);
  const { pathname } = new URL(request.url, "http://stand-in");
  if (request.method !== "POST" || !/\/v1\/messages\/?$/.test(pathname)) {
    log({ event: "other", n, method: request.method, path: pathname });
    other(request, response, { pathname, text });
    return;
  }
  const body = JSON.parse(text);
  const { kind, index, what } = next(body);
  log({
    event: "request",
    n,
    kind,
    turn: index,
    model: body.model,
    tools: (body.tools ?? []).map((tool) => tool.name),
    lastUser: lastUserText(body).slice(-8000),
    messages: (body.messages ?? []).length,
    system: textOf(body.system ?? ""),
    schema: body.tools?.find(({ name }) => name === "StructuredOutput")?.input_schema ?? null,
    authorized: "x-api-key" in request.headers || "authorization" in request.headers,
  });
  const how = await answer(what, { body, request, response, usage: script.usage ?? {} });
  log({ event: "response", n, how });
}

/** Which turn this request gets; side calls (titles, quota probes) use none up. */
function next(body) {
  const side = sideTurn(body);
  if (side !== null) return { kind: "side", index: null, what: side };
  const what = script.turns[turn];
  if (what === undefined) {
    const error = { status: 400, message: "stand-in: the script is used up" };
    return { kind: "exhausted", index: null, what: { error } };
  }
  const index = turn;
  given += 1;
  if (given >= (what.times ?? 1)) {
    turn += 1;
    given = 0;
  }
  return { kind: "turn", index, what };
}

function other(request, response, { pathname, text }) {
  if (pathname.endsWith("/v1/messages/count_tokens"))
    return json(response, 200, { input_tokens: Math.ceil(text.length / 4) });
  if (pathname.endsWith("/v1/models"))
    return json(response, 200, { data: [], has_more: false, first_id: null, last_id: null });
  if (request.method === "HEAD" || pathname === "/") return response.writeHead(200).end();
  return json(response, 404, {
    type: "error",
    error: { type: "not_found_error", message: `stand-in: no such route ${pathname}` },
  });
}

function json(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function log(entry) {
  fs.writeSync(logDescriptor, `${JSON.stringify(entry)}\n`);
}
