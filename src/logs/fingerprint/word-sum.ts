/**
 * A hash of words in their places that is a sum, so that one of them can be exchanged without adding up the others again.
 * 53 bits.
 */

export interface WordSum {
  readonly low: number;
  readonly high: number;
}

export function sumOf(words: readonly string[]): WordSum {
  let sum: WordSum = { low: words.length, high: 0 };
  for (const [place, word] of words.entries()) sum = plus(sum, termOf(word, place));
  return sum;
}

export function plus(one: WordSum, other: WordSum): WordSum {
  return { low: (one.low + other.low) | 0, high: (one.high + other.high) | 0 };
}

/** What to add where another word stands at this place. */
export function exchange(place: number, word: string, by: string): WordSum {
  const [before, after] = [termOf(word, place), termOf(by, place)];
  return { low: (after.low - before.low) | 0, high: (after.high - before.high) | 0 };
}

export function keyOf({ low, high }: WordSum): number {
  return (low >>> 0) * 0x200000 + (high >>> 11);
}

function termOf(word: string, place: number): WordSum {
  let low = 0x811c9dc5 ^ place;
  let high = 0x9747b28c + place;
  for (let at = 0; at < word.length; at++) {
    const code = word.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x5bd1e995);
  }
  low = Math.imul(low ^ (low >>> 15), 0x85ebca6b);
  high = Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return { low: low ^ (low >>> 16), high: high ^ (high >>> 16) };
}
