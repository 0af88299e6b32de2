/** Where a value is read from that is never stored or shown. */
import * as v from 'valibot';

export const SecretSpec = v.union([
  v.strictObject({ file: v.string() }),
  v.strictObject({ command: v.pipe(v.array(v.string()), v.minLength(1)) }),
]);
export type SecretSpec = v.InferOutput<typeof SecretSpec>;
