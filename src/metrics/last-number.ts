/** The figure of `metric: {shell}`: the last number printed, with colours and units left out (spec 2.6). */
export function lastNumber(text: string): number | null {
  const words = [...text.replaceAll(COLOURS, "").matchAll(/[\w.,+%µ-]+/gu)];
  for (const [word] of words.toReversed()) {
    const found = NUMBER.exec(word);
    if (found === null) continue;
    const figure = Number((found[1] ?? "").replaceAll(",", ""));
    if (Number.isFinite(figure)) return figure;
  }
  return null;
}

// oxlint-disable-next-line no-control-regex -- ESC begins what a terminal takes for a colour
const COLOURS = /\u001B\[[\d;]*[A-Za-z]/g;

/** `12`, `-0.5`, `1,234.5`, `1e-3`, and `12ms`, `5%` with their units; not `v2`, `1.2.3`, `2026-11-21`, `0m1.2s`. */
const NUMBER =
  /^([-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:(?<=\d)|(?=\.\d))(?:\.\d+)?(?:[eE][-+]?\d+)?)(?:[A-Za-zµ%]*)[.,]*$/u;
