/**
 * Texts of the schema. Valibot carries one string per rule, so fact and hint travel in it on two lines, with
 * `{value}` and `{key}` to be filled in once the place is known (issue.ts).
 */
import { mostSimilar } from '../../util/index.js';

export type Saying = string & { readonly saying?: never };

export function say(fact: string, hint: string): Saying {
  return `${fact}\n${hint}`;
}

/** For a choice of words: names them, and the one that was most likely meant. */
export function sayOneOf(words: readonly string[], otherwise = ''): (issue: { input: unknown }) => Saying {
  const known = words.map((word) => `"${word}"`).join(', ');
  return ({ input }) => {
    const near = typeof input === 'string' ? mostSimilar(input, words) : undefined;
    const hint = near
      ? `did you mean "${near}"? (known: ${known}${otherwise})`
      : `known: ${known}${otherwise}`;
    return say(`{value} is not a known {key}`, hint);
  };
}
