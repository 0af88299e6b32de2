/**
 * Finds the first of many short words, after Wu and Manber: two bytes at a time say how far it is at least to the next place
 * where four bytes that begin one of them may end, so most bytes are never looked at. Four places of a long text are
 * searched at a time, because one search waits for memory more than it works.
 */
const WINDOW = 4;
const FARTHEST = WINDOW - 1;
/** From here on it is worth it. */
const LONG = 1024;
const NEWLINE = 0x0a;

interface Word {
  readonly bytes: Buffer;
  readonly isInAnyCase: boolean;
}

export class SearchMany {
  /** By two bytes, the later one high. */
  readonly #shifts = new Uint8Array(65536).fill(FARTHEST);
  readonly #words = new Map<number, Word[]>();
  readonly #atBegin: readonly Word[];

  /** Of four bytes at least. What begins with a newline is also found where `find` begins. */
  constructor(inAnyCase: readonly string[], asWritten: readonly string[]) {
    const words = [
      ...inAnyCase.map((text) => ({ bytes: Buffer.from(text, 'latin1'), isInAnyCase: true })),
      ...asWritten.map((text) => ({ bytes: Buffer.from(text, 'latin1'), isInAnyCase: false })),
    ];
    for (const word of words) this.#add(word);
    this.#atBegin = words
      .filter(({ bytes }) => bytes[0] === NEWLINE)
      .map(({ bytes, isInAnyCase }) => ({ bytes: bytes.subarray(1), isInAnyCase }));
  }

  /** Where it begins; -1: there is none. */
  find(text: Uint8Array, from: number): number {
    if (this.#atBegin.some((word) => standsAt(word, text, from))) return from;
    if (text.length - from > LONG && this.#hasNone(text, from)) return -1;
    return this.#search(text, from + WINDOW - 1, text.length);
  }

  /** `at`: where the first four bytes end. */
  #search(text: Uint8Array, at: number, end: number): number {
    const shifts = this.#shifts;
    while (at < end) {
      const pair = text[at - 1]! | (text[at]! << 8);
      const shift = shifts[pair]!;
      if (shift > 0) at += shift;
      else if (this.#isAt(text, at, pair)) return at - WINDOW + 1;
      else at++;
    }
    return -1;
  }

  #hasNone(text: Uint8Array, from: number): boolean {
    const shifts = this.#shifts;
    const start = from + WINDOW - 1;
    const quarter = (text.length - start) >> 2;
    const [endA, endB, endC, endD] = [start + quarter, start + 2 * quarter, start + 3 * quarter, text.length];
    let [a, b, c, d] = [start, endA, endB, endC];
    while (a < endA && b < endB && c < endC && d < endD) {
      const shiftA = shifts[text[a - 1]! | (text[a]! << 8)]!;
      const shiftB = shifts[text[b - 1]! | (text[b]! << 8)]!;
      const shiftC = shifts[text[c - 1]! | (text[c]! << 8)]!;
      const shiftD = shifts[text[d - 1]! | (text[d]! << 8)]!;
      if (shiftA === 0 && this.#isAt(text, a)) return false;
      if (shiftB === 0 && this.#isAt(text, b)) return false;
      if (shiftC === 0 && this.#isAt(text, c)) return false;
      if (shiftD === 0 && this.#isAt(text, d)) return false;
      a += shiftA || 1;
      b += shiftB || 1;
      c += shiftC || 1;
      d += shiftD || 1;
    }
    return (
      this.#search(text, a, endA) < 0 &&
      this.#search(text, b, endB) < 0 &&
      this.#search(text, c, endC) < 0 &&
      this.#search(text, d, endD) < 0
    );
  }

  #isAt(text: Uint8Array, at: number, pair = text[at - 1]! | (text[at]! << 8)): boolean {
    for (const word of this.#words.get(pair)!) if (standsAt(word, text, at - WINDOW + 1)) return true;
    return false;
  }

  #add(word: Word): void {
    for (let end = 1; end < WINDOW; end++) {
      for (const pair of pairsOf(word, end)) {
        this.#shifts[pair] = Math.min(this.#shifts[pair]!, FARTHEST - end);
        if (end === FARTHEST) this.#words.set(pair, [...(this.#words.get(pair) ?? []), word]);
      }
    }
  }
}

/** Of the bytes that end there, in each spelling. */
function pairsOf({ bytes, isInAnyCase }: Word, end: number): number[] {
  const spellings = (byte: number): number[] => (isInAnyCase && isLetter(byte) ? [byte, byte - 32] : [byte]);
  const later = spellings(bytes[end]!);
  return spellings(bytes[end - 1]!).flatMap((one) => later.map((other) => one | (other << 8)));
}

function standsAt({ bytes, isInAnyCase }: Word, text: Uint8Array, start: number): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = text[start + at]!;
    const isSame = byte === bytes[at] || (isInAnyCase && byte + 32 === bytes[at] && isLetter(byte + 32));
    if (!isSame) return false;
  }
  return true;
}

function isLetter(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}
