/** Keys that a script leaves `undefined` are as good as absent. */
export function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  const isPlain =
    typeof value === 'object' && value !== null && !(value instanceof Date || value instanceof RegExp);
  if (!isPlain) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutUndefined(inner)]));
}
