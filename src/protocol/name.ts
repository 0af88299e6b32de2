/** What people may call a service or an alert. */
import * as v from 'valibot';

/** What every object of JavaScript has, `constructor` for example: a table would answer it although nobody has put it there. */
export function isInherited(name: string): boolean {
  return name in {} || name === 'prototype';
}

/** Letters, digits, "_", "." and "-", at most 64. */
export const plainName = () =>
  v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'letters, digits, "_", "." and "-", at most 64'),
    v.check((value) => !isInherited(value), 'a word of JavaScript is not a name'),
  );
