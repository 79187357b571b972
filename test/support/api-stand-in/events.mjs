// A message as the API streams it.

/** Small, so that every answer comes in several pieces. */
const DELTA_CHARACTERS = 64;

/** The server-sent events of `message`, in order. */
export function* eventsOf(message, turn) {
  const { content, stop_reason, usage } = message;
  const begun = {
    ...message,
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  };
  yield { type: "message_start", message: begun };
  yield { type: "ping" };
  for (const [index, block] of content.entries()) yield* blockEvents(index, block);
  if (turn.streamError !== undefined) {
    // Inside a stream that began well: status 200 is out already.
    yield { type: "error", error: turn.streamError };
    return;
  }
  yield { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage };
  yield { type: "message_stop" };
}

function* blockEvents(index, block) {
  const delta = (value) => ({ type: "content_block_delta", index, delta: value });
  if (block.type === "text") {
    yield { type: "content_block_start", index, content_block: { type: "text", text: "" } };
    for (const text of pieces(block.text)) yield delta({ type: "text_delta", text });
  } else if (block.type === "tool_use") {
    yield { type: "content_block_start", index, content_block: { ...block, input: {} } };
    for (const partial_json of pieces(JSON.stringify(block.input)))
      yield delta({ type: "input_json_delta", partial_json });
  } else {
    const empty = { type: "thinking", thinking: "", signature: "" };
    yield { type: "content_block_start", index, content_block: empty };
    for (const thinking of pieces(block.thinking))
      yield delta({ type: "thinking_delta", thinking });
    yield delta({ type: "signature_delta", signature: block.signature });
  }
  yield { type: "content_block_stop", index };
}

function pieces(text) {
  return text.match(new RegExp(`[^]{1,${DELTA_CHARACTERS}}`, "g")) ?? [""];
}
