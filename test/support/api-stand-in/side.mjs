// Requests beside the conversation: titles, summaries, quota probes, warm-ups of sub-agents.

/** The answer to a side call; `null`: this is a turn of the conversation, which always offers tools. */
export function sideTurn(body) {
  if ((body.tools ?? []).length === 0) return { text: "side" };
  // 2.0.x warms its sub-agents up in parallel with the first turn.
  const first = textOf(body.messages?.[0]?.content ?? "").trimEnd();
  return first.endsWith("Warmup") ? { text: "side" } : null;
}

export function lastUserText(body) {
  const message = (body.messages ?? []).findLast((one) => one.role === "user");
  return message === undefined ? "" : textOf(message.content);
}

export function textOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((block) => block.text ?? textOf(block.content)).join("\n");
}
