import * as v from 'valibot';

/** One line of output. */
export const LogLine = v.strictObject({
  service: v.string(),
  instance: v.nullable(v.number()),
  stream: v.picklist(['out', 'err']),
  line: v.string(),
});
export type LogLine = v.InferOutput<typeof LogLine>;
