/** Decides whether a value only shows what should stand there, as the values of example files do. */
import { looksSecret } from '../../../supervisor/index.js';

const WORDS =
  /^(?:change[-_ ]?(?:me|this|it)!*|x{3,}|\*{3,}|\.{3}|todo|fixme|tbd|replace[-_ ]?(?:me|this)|your[-_ ].+|<.+>|\{\{.+\}\}|placeholder|example|dummy)$/i;
/** Names that are reserved for examples (RFC 2606, RFC 6761). */
const EXAMPLE_HOST = /(?:^|[@/.\s])example\.(?:com|org|net)\b|\.(?:example|invalid)\b/i;
const CREDENTIALS = /^[a-z][a-z0-9+.-]*:\/\/([^/@\s]*)@/i;

/** It can be meant by nobody. */
export function isPlaceholder(value: string): boolean {
  const words = CREDENTIALS.exec(value)?.[1]?.split(':') ?? [];
  return WORDS.test(value.trim()) || EXAMPLE_HOST.test(value) || words.some((word) => WORDS.test(word));
}

/** A value of an example file that is no default: a secret, a place of another machine, or nothing. */
export function isOnlyExample(key: string, value: string): boolean {
  if (/^(?:true|false|yes|no|on|off|\d+(?:\.\d+)?[a-z]{0,3})$/i.test(value)) return false;
  return (
    value === '' || isPlaceholder(value) || looksSecret(key, value) || /^[a-z][a-z0-9+.-]*:\/\//i.test(value)
  );
}
