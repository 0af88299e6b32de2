/** Text of one JSON value a line, as it is found after a power cut: torn at its end, or filled with what never was written. */

/** The values that were written as a whole, in order. */
export function parseLines(text: string): unknown[] {
  const values: unknown[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      values.push(JSON.parse(line));
    } catch {
      continue; // torn
    }
  }
  return values;
}

export function formatLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** What is appended to a torn line would be lost with it. */
export function isTorn(text: string): boolean {
  return text !== '' && !text.endsWith('\n');
}
