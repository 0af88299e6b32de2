/** Two ways in which the network fails: one that may be over in a moment, and one that is not. */

/** Is tried again. */
export class Passing extends Error {
  override readonly name = 'Passing';
  /** How long the server wants to be left alone; null: it says nothing. */
  readonly waitMs: number | null;
  /** More came than ever before: this is none of several failures in a row. */
  readonly hasAdvanced: boolean;

  constructor(
    fact: string,
    { waitMs = null, hasAdvanced = false }: { waitMs?: number | null; hasAdvanced?: boolean } = {},
  ) {
    super(fact);
    this.waitMs = waitMs;
    this.hasAdvanced = hasAdvanced;
  }
}

/** Is not. */
export class Impassable extends Error {
  override readonly name = 'Impassable';
  readonly hint: string;

  constructor(fact: string, hint: string) {
    super(fact);
    this.hint = hint;
  }
}

const PASSING = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524]);

/** For answers that say nothing about what was asked for. */
export function passingOf(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  host: string,
): Passing | undefined {
  const isLimit = status === 403 && (headers['x-ratelimit-remaining'] === '0' || 'retry-after' in headers);
  if (!PASSING.has(status) && !isLimit) return undefined;
  const words = status === 429 || isLimit ? ' (too many requests)' : '';
  return new Passing(`${host} answered ${status}${words}`, { waitMs: waitOf(headers) });
}

function waitOf(headers: Readonly<Record<string, string | string[] | undefined>>): number | null {
  const text = headers['retry-after'];
  if (typeof text === 'string') {
    const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
    if (Number.isFinite(ms)) return Math.max(0, ms);
  }
  const reset = Number(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset']);
  return headers['x-ratelimit-remaining'] === '0' && reset > 0
    ? Math.max(0, reset * 1000 - Date.now())
    : null;
}
