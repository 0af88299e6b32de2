/** Reads `.env.example` and the like: which keys there are, and which of them need a value of the host's own. */
import { parseEnv } from 'node:util';
import { isOnlyExample } from '../facts/placeholder.js';

export interface ExampleKey {
  readonly key: string;
  readonly isRequired: boolean;
  /** null: the key is only shown in a comment. */
  readonly example: string | null;
}

const LINE = /^\s*(#\s?)?(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/;

/**
 * A value that can be a default makes a key optional; so do the word `optional` in a comment on its line or right above it, and a line that is
 * commented out. `required` says the opposite.
 */
export function parseExample(text: string): ExampleKey[] {
  const values = parseEnv(text) as Record<string, string>;
  const keys = new Map<string, ExampleKey>();
  let above = '';
  for (const line of text.split('\n')) {
    const [matched, comment, key = '', rest = ''] = LINE.exec(line) ?? [];
    const isKey = matched !== undefined && (comment !== undefined || key in values);
    if (!isKey) {
      above = line.trim().startsWith('#') ? `${above} ${line}` : '';
      continue;
    }
    const example = comment === undefined ? values[key]! : null;
    const said = `${above} ${/\s#(.*)$/.exec(rest)?.[1] ?? ''}`;
    if (!keys.has(key) || example !== null)
      keys.set(key, { key, example, isRequired: isRequired(key, example, said) });
    above = '';
  }
  return [...keys.values()];
}

function isRequired(key: string, example: string | null, said: string): boolean {
  if (example === null || /\boptional\b/i.test(said)) return false;
  return /\brequired\b/i.test(said) || isOnlyExample(key, example);
}
