/** A command of a release, as people write it. */
import * as v from 'valibot';
import * as leaf from './leaf.js';
import { object } from './object.js';
import { say } from './say.js';

export const Hook = object('{run: npm run migrate}', {
  run: leaf.command,
  cwd: v.exactOptional(leaf.text('.')),
  timeout: v.exactOptional(leaf.duration('5m', 100)),
});
export type ParsedHook = string | string[] | v.InferOutput<typeof Hook>;

const MESSAGE = say(
  '{value} is neither a command, a map nor a list of those',
  'write {key}: npm run migrate',
);

const one = v.union([leaf.text('npm run migrate'), Hook], MESSAGE);

/** One after the other; each text of a list is a command of its own. */
export const hooks = v.pipe(
  v.union([leaf.text('npm run migrate'), Hook, v.array(one)], MESSAGE),
  v.transform((value): readonly ParsedHook[] => (Array.isArray(value) ? value : [value])),
);
