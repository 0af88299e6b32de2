/** FNV-1a with 64 bits over UTF-16 code units, as 16 hexadecimal digits: it names kinds, it protects nothing. */

const PRIME_LOW = 0x1b3; // the prime is 2^40 + 0x1b3

/** In quarters of 16 bits, because numbers multiply exactly only up to 53. */
export function hash64(text: string): string {
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2]; // from the lowest
  for (let at = 0; at < text.length; at++) {
    a ^= text.charCodeAt(at);
    const lowest = a * PRIME_LOW;
    const low = b * PRIME_LOW + (lowest >>> 16);
    const high = c * PRIME_LOW + (a << 8) + (low >>> 16);
    const highest = d * PRIME_LOW + (b << 8) + Math.floor(high / 0x10000);
    a = lowest & 0xffff;
    b = low & 0xffff;
    c = high & 0xffff;
    d = highest & 0xffff;
  }
  return [d, c, b, a].map((quarter) => quarter.toString(16).padStart(4, '0')).join('');
}
