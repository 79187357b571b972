/** Makes a `switch` over a union fail to compile when a member is added; throws if the types lied. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
