/**
 * Reads what a newer version of the same format wrote: keys that it has added are left out and told, so that going back to
 * the version before is possible. A value that means nothing here is an error as ever.
 */
import * as v from 'valibot';

export interface Understood<T> {
  readonly value: T;
  /** Paths of what was left out, `services.0.spec.color`. */
  readonly foreign: readonly string[];
}

/** Throws a `ValiError` where something is missing or has no meaning. Takes keys out of `value` itself. */
export function parseWithoutForeign<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
): Understood<v.InferOutput<S>> {
  const foreign: string[] = [];
  for (;;) {
    const result = v.safeParse(schema, value);
    if (result.success) return { value: result.output, foreign };
    const unknown = result.issues.filter(
      ({ type, expected }) => type === 'strict_object' && expected === 'never',
    );
    if (unknown.length === 0) throw new v.ValiError(result.issues);
    for (const issue of unknown) {
      const key = issue.path!.at(-1)!;
      delete (key.input as Record<string, unknown>)[String(key.key)];
      foreign.push(v.getDotPath(issue)!);
    }
  }
}
