/** Templates that are equal but for one place, or two: each of them under a key that leaves these places out. */
import { ANY, isSeparator } from './mask.js';
import { exchange, keyOf, plus, type WordSum } from './word-sum.js';

/** Beside the places that vary, a template has so many words that do not. */
const LEAST_WORDS = 2;
/** Of longer ones only single places are looked at. */
const MAX_WORDS_FOR_PAIRS = 12;
const HOLE = '\0';

export interface SiblingKey {
  readonly key: number;
  /** Of the template that has `…` in these places. */
  readonly anyKey: number;
  readonly place: number;
  /** -1: only one place. */
  readonly other: number;
}

interface Exchange {
  readonly place: number;
  readonly hole: WordSum;
  readonly any: WordSum;
}

export function siblingKeys(sum: WordSum, words: readonly string[]): SiblingKey[] {
  const exchanges: Exchange[] = [];
  for (const [place, word] of words.entries())
    if (word !== ANY && !isSeparator(word))
      exchanges.push({ place, hole: exchange(place, word, HOLE), any: exchange(place, word, ANY) });
  if (exchanges.length - 1 < LEAST_WORDS) return [];
  const keys: SiblingKey[] = [];
  const hasPairs = exchanges.length <= MAX_WORDS_FOR_PAIRS && exchanges.length - 2 > LEAST_WORDS;
  for (const [index, { place, hole, any }] of exchanges.entries()) {
    const [holed, opened] = [plus(sum, hole), plus(sum, any)];
    keys.push({ key: keyOf(holed), anyKey: keyOf(opened), place, other: -1 });
    for (let next = index + 1; hasPairs && next < exchanges.length; next++) {
      const { place: other, hole: otherHole, any: otherAny } = exchanges[next]!;
      keys.push({ key: keyOf(plus(holed, otherHole)), anyKey: keyOf(plus(opened, otherAny)), place, other });
    }
  }
  return keys;
}
