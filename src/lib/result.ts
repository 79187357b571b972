/** An expected failure is a value. A thrown error is an `MmmError` or a bug. */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** The successful half of {@link Result}. */
export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}

/** The failed half of {@link Result}. */
export function err<E>(error: E): Result<never, E> {
  return { ok: false, error };
}
