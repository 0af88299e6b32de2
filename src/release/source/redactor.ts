/**
 * Takes out of words what nobody may read: tokens, passwords in URLs, values of queries (signatures of object storages are ones).
 * Everything that a source says of itself, or that a server said, passes through here on its way out.
 */
import { decoded, SecretValues } from '../../util/index.js';

/** A token is known to be one. */
const SHORTEST = 4;
/** Of a query: `true` and `600` are no secrets. */
const SHORTEST_IN_QUERY = 6;
const MASK = '***';
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;
const USER_IN_URL = /(\b[a-z][a-z\d+.-]*:\/\/)[^\s/@]+@/gi;

export class Redactor {
  readonly #secrets = new SecretValues([], SHORTEST);

  add(secret: string): void {
    this.#secrets.add(secret);
  }

  /** User and password, and what its query holds; its path stays readable. */
  addUrl(url: URL): void {
    for (const part of [url.username, url.password]) this.add(decoded(part));
    if (url.password !== '') this.add(`${decoded(url.username)}:${decoded(url.password)}`);
    for (const value of url.searchParams.values()) if (value.length >= SHORTEST_IN_QUERY) this.add(value);
  }

  /** The URL as it is asked: user and password travel in a header. What is secret in it is known from now on. */
  open(url: URL): URL {
    this.addUrl(url);
    const bare = new URL(url);
    bare.username = '';
    bare.password = '';
    bare.hash = '';
    return bare;
  }

  /** One line. */
  text(words: string): string {
    return this.#secrets.hide(words.replace(CONTROL, ' ').replace(USER_IN_URL, `$1${MASK}@`));
  }

  /** Every string within. */
  deep<T>(value: T): T {
    if (typeof value === 'string') return this.text(value) as T;
    if (Array.isArray(value)) return value.map((each: unknown) => this.deep(each)) as T;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.deep(each)])) as T;
  }
}

/** As it may be shown: whose it is and its path. */
export function showUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
}
