/** Closes an exhaustive switch: the compiler proves that it is never called. */
export function unreachable(value: never): never {
  throw new Error(`Internal error: unexpected ${JSON.stringify(value)}`);
}
