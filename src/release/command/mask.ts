/** What a command has printed, as it may be shown and kept: without escape sequences, endless lines and secrets. */
import { stripVTControlCharacters } from 'node:util';
import { isSecretKey, redactText } from '../../config/index.js';
import type { StageJob } from '../job.js';
import type { Environment } from './environment.js';

const CONTROL = /[\p{Cc}\u2028\u2029]+/gu;
const MAX_CHARACTERS = 500;
/** A shorter value is a word like any other: hiding it would hide the text. */
const MIN_SECRET_CHARACTERS = 6;

export type Mask = (line: string) => string;

/** Of one line. `secrets` are hidden wherever they stand, others by what stands before them. */
export function maskWith(secrets: Iterable<string>): Mask {
  const hidden = [...new Set(secrets)]
    .filter((secret) => secret.length >= MIN_SECRET_CHARACTERS)
    .toSorted((one, other) => other.length - one.length); // one may hold another
  return (line) => {
    const plain = stripVTControlCharacters(line).replaceAll(CONTROL, ' ').trimEnd();
    const masked = redactText(hidden.reduce((text, secret) => text.replaceAll(secret, '***'), plain));
    return masked.length > MAX_CHARACTERS ? `${masked.slice(0, MAX_CHARACTERS - 1)}…` : masked;
  };
}

/** What this release knows of secrets by their values. */
export function secretsOf(
  { spec }: Pick<StageJob, 'spec'>,
  ...environments: readonly Environment[]
): string[] {
  const { source } = spec;
  const found: string[] = [];
  if ('token' in source && typeof source.token === 'string') found.push(source.token);
  if (source.type === 'http')
    found.push(...Object.values(source.headers).filter((value) => typeof value === 'string'));
  for (const { env } of spec.services) {
    for (const [key, { value }] of Object.entries(env)) if (isSecretKey(key)) found.push(value);
  }
  for (const environment of [process.env as Environment, ...environments]) {
    for (const [key, value] of Object.entries(environment)) if (isSecretKey(key)) found.push(value);
  }
  return found;
}
