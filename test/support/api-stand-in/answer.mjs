// One answer of the Messages API: an error, a fault, or a message, streamed or whole.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { eventsOf } from "./events.mjs";

const ERROR_TYPES = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};
let ids = 0;

/** @returns in one word how it went, for the log */
export async function answer(turn, call) {
  const { request, response } = call;
  if (turn.delayMs !== undefined) await sleep(turn.delayMs);
  if (turn.hang === true) {
    await once(response, "close");
    return "hang";
  }
  if (turn.reset === true) {
    request.socket.destroy();
    return "reset";
  }
  if (turn.error !== undefined) return refuse(turn.error, response);
  const message = messageOf(turn, call);
  if (call.body.stream !== true) {
    response.writeHead(200, head("application/json")).end(JSON.stringify(message));
    return "json";
  }
  return stream(turn, message, response);
}

function refuse(error, response) {
  const { status, message, headers } = typeof error === "number" ? { status: error } : error;
  const type = ERROR_TYPES[status] ?? "api_error";
  response.writeHead(status, { ...head("application/json"), ...headers });
  response.end(
    JSON.stringify({ type: "error", error: { type, message: message ?? `stand-in ${type}` } }),
  );
  return `error ${status}`;
}

async function stream(turn, message, response) {
  response.writeHead(200, head("text/event-stream; charset=utf-8"));
  let sent = 0;
  for (const event of eventsOf(message, turn)) {
    if (sent >= (turn.truncateAfter ?? Infinity)) {
      // A reset in the middle of the stream.
      response.destroy();
      return `truncated after ${sent}`;
    }
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    sent += 1;
    if (turn.eventDelayMs !== undefined) await sleep(turn.eventDelayMs);
  }
  response.end();
  return `streamed ${sent}`;
}

function messageOf(turn, { body, usage }) {
  const content = [];
  if (turn.thinking !== undefined)
    content.push({ type: "thinking", thinking: turn.thinking, signature: "bW9jaw==" });
  if (turn.text !== undefined) content.push({ type: "text", text: turn.text });
  for (const use of [turn.toolUse ?? []].flat())
    content.push({ type: "tool_use", id: id("toolu"), name: use.name, input: use.input ?? {} });
  const calls = content.some((block) => block.type === "tool_use");
  return {
    id: id("msg"),
    type: "message",
    role: "assistant",
    model: body.model,
    content,
    stop_reason: turn.stopReason ?? (calls ? "tool_use" : "end_turn"),
    stop_sequence: null,
    usage: {
      input_tokens: 100,
      output_tokens: 20,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      service_tier: "standard",
      ...usage,
      ...turn.usage,
    },
  };
}

function head(type) {
  return { "content-type": type, "request-id": id("req") };
}

function id(prefix) {
  ids += 1;
  return `${prefix}_standin${String(ids).padStart(6, "0")}`;
}
