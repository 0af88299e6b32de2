/** What a command has printed, as it may be shown and kept: without escape sequences, endless lines and secrets. */
import { stripVTControlCharacters } from 'node:util';
import { isSecretKey, redactText } from '../../config/index.js';
import type { SecretSpec, SourceSpec } from '../../protocol/index.js';
import { storedSecretValues } from '../../supervisor/index.js';
import { readSecret } from '../../system/index.js';
import { SecretValues } from '../../util/index.js';
import { currentIn } from '../folder/index.js';
import type { StageJob } from '../job.js';
import { settle } from '../settle.js';
import type { Environment } from './environment.js';

const CONTROL = /[\p{Cc}\u2028\u2029]+/gu;
const MAX_CHARACTERS = 500;
/** `true` and `600` are no secrets. */
const SHORTEST_SIGNATURE = 6;

export type Mask = (line: string) => string;

/** Of one line. `secrets` are hidden wherever they stand, others by what stands before them. */
export function maskWith(secrets: Iterable<string>): Mask {
  const values = new SecretValues(secrets);
  return (line) => {
    const plain = stripVTControlCharacters(line).replaceAll(CONTROL, ' ').trimEnd();
    const masked = redactText(values.hide(plain));
    return masked.length > MAX_CHARACTERS ? `${masked.slice(0, MAX_CHARACTERS - 1)}…` : masked;
  };
}

/** What this release knows of secrets by their values. What comes from a command is not asked for once more. */
export async function secretsOf(
  { spec, folder }: Pick<StageJob, 'spec' | 'folder'>,
  ...environments: readonly Environment[]
): Promise<string[]> {
  const current = currentIn(spec.folder);
  const services = spec.services.map((service) => settle(service, current, folder ?? current));
  return [
    ...(await ofSource(spec.source)),
    ...services.flatMap(storedSecretValues),
    ...[process.env, ...environments].flatMap(secretsIn),
  ];
}

export function secretsIn(environment: Readonly<NodeJS.ProcessEnv>): string[] {
  return Object.entries(environment).flatMap(([key, value = '']) => (isSecretKey(key) ? [value] : []));
}

async function ofSource(source: SourceSpec): Promise<string[]> {
  const tokens = 'token' in source ? [source.token] : [];
  const headers = source.type === 'http' ? Object.values(source.headers) : [];
  // One that is written down is none: it is refused where it is signed.
  const url = source.type === 'http' && typeof source.url === 'object' ? [source.url] : [];
  const values = await Promise.all([...tokens, ...headers, ...url].map(readValue));
  return values.flatMap((value) => [value, ...signaturesIn(value)]);
}

async function readValue(value: string | SecretSpec | null): Promise<string> {
  if (value === null || typeof value === 'string') return value ?? '';
  if (!('file' in value)) return '';
  return readSecret(value).then(
    (text) => text.trim(),
    () => '',
  );
}

/** What stands in the query of a URL. */
function signaturesIn(value: string): string[] {
  if (!URL.canParse(value)) return [];
  return [...new URL(value).searchParams.values()].filter(({ length }) => length >= SHORTEST_SIGNATURE);
}
