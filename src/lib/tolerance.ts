/** How far a figure may be off. */
export interface Tolerance {
  readonly amount: number;
  /** `percent` of the figure before; `figure`: in the figure's own unit. */
  readonly of: "percent" | "figure";
}

/** `5%`, `0.5`, or a number; `null` for anything else, and for less than 0. */
export function parseTolerance(value: string | number): Tolerance | null {
  const text = String(value).trim();
  const isShare = text.endsWith("%");
  const digits = isShare ? text.slice(0, -1).trim() : text;
  if (!/^\d{1,15}(?:\.\d{1,15})?$/.test(digits)) return null;
  return { amount: Number(digits), of: isShare ? "percent" : "figure" };
}

/** In the unit of `figure`. */
export function toleranceOf({ amount, of }: Tolerance, figure: number): number {
  return of === "percent" ? (Math.abs(figure) * amount) / 100 : amount;
}
