/** Computes the environment of an attempt from declared sources only, anew at each start, each value with its source. */
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import {
  UpkeepError,
  type AlertSpec,
  type EnvironmentEntry,
  type SecretSpec,
  type ServiceSpec,
} from '../protocol/index.js';
import { findCredentials, placeOfSecret, readSecret, SecretError } from '../system/index.js';

export interface Variable {
  readonly value: string;
  readonly source: string;
  readonly isSecret: boolean;
}

export type Environment = Map<string, Variable>;

/** What an attempt is told about itself. */
export interface AttemptIdentity {
  readonly home: string;
  readonly instance: number;
  readonly attempt: number;
  readonly runDir: string;
  /** The operation that asked for this attempt; null: an automatic restart. */
  readonly operation: string | null;
}

/** Later wins: shell, user, env files in order, env, secrets, upkeep. */
export async function resolveEnvironment(spec: ServiceSpec): Promise<Environment> {
  const environment = plainEnvironment(spec, 'shell');
  for (const file of spec.envFiles) {
    for (const [key, value] of Object.entries(await readEnvFile(spec, file))) {
      environment.set(key, { value, source: file, isSecret: false });
    }
  }
  for (const [key, variable] of plainEnvironment(spec, 'declared')) environment.set(key, variable);
  for (const [key, secret] of Object.entries(spec.secrets)) {
    environment.set(key, {
      value: await secretOf(spec, key, secret),
      source: `secret ${placeOfSecret(secret)}`,
      isSecret: true,
    });
  }
  return environment;
}

/** Whether `resolveEnvironment` has nothing to wait for. */
export function isPlain(spec: ServiceSpec): boolean {
  return spec.envFiles.length === 0 && Object.keys(spec.secrets).length === 0;
}

/** For a plain specification: the same, at once. */
export function resolvePlainEnvironment(spec: ServiceSpec): Environment {
  const environment = plainEnvironment(spec, 'shell');
  for (const [key, variable] of plainEnvironment(spec, 'declared')) environment.set(key, variable);
  return environment;
}

export function attemptVariables(spec: ServiceSpec, identity: AttemptIdentity): Record<string, string> {
  return {
    UPKEEP_HOME: identity.home,
    UPKEEP_SERVICE: spec.name,
    UPKEEP_INSTANCE: String(identity.instance),
    UPKEEP_ATTEMPT: String(identity.attempt),
    UPKEEP_RUN: identity.runDir,
    ...(identity.operation === null ? {} : { UPKEEP_OPERATION: identity.operation }),
  };
}

export function toEntries(environment: Environment, isRevealed: boolean): EnvironmentEntry[] {
  return [...environment]
    .map(([key, { value, source, isSecret }]) => {
      const redacted = !isRevealed && (isSecret || looksSecret(key, value));
      return { key, value: redacted ? '********' : value, source, redacted };
    })
    .sort((a, b) => a.key.localeCompare(b.key));
}

const SECRET_NAME =
  /secret|token|passw|pwd|credential|auth|cookie|session|private|signature|salt|api_?key|access_?key|_key$|^key$|dsn|otlp_[a-z_]*headers/i;
const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^/@\s]+@/i;

/** Better one value masked too many than one shown too many. */
export function looksSecret(key: string, value: string): boolean {
  return SECRET_NAME.test(key) || URL_WITH_PASSWORD.test(value);
}

/** What the words of an attempt must not tell when they are quoted. */
export function secretValues(
  env: Readonly<Record<string, string>>,
  { secrets }: Pick<ServiceSpec, 'secrets'>,
): string[] {
  return Object.entries(env).flatMap(([key, value]) =>
    key in secrets || looksSecret(key, value) ? [value] : [],
  );
}

/** The same as far as files tell it now, where no attempt is known, or what it was given cannot be read any more. No command is run for it. */
export function storedSecretValues(spec: ServiceSpec): string[] {
  const env = Object.entries(spec.env).map(([key, { value }]) => [key, value]);
  const files = spec.envFiles.map((file) => parseEnv(textOf(file)) as Record<string, string>);
  const secrets = Object.entries(spec.secrets).map(([key, secret]) => [
    key,
    'file' in secret ? textOf(secret.file).replace(/\r?\n$/, '') : '',
  ]);
  const all = [Object.fromEntries(env), ...files, Object.fromEntries(secrets)] as Record<string, string>[];
  return all.flatMap((each) => secretValues(each, spec));
}

function textOf(file: string): string {
  try {
    // A pipe would be waited for.
    return statSync(file).isFile() ? readFileSync(file, 'utf8') : '';
  } catch {
    return ''; // not there, or not for this user: whoever needs it says so
  }
}

/** A specification as it may be shown. */
export function redactSpec(spec: ServiceSpec): ServiceSpec {
  const env = Object.entries(spec.env).map(([key, { value, source }]) => {
    return [key, { value: looksSecret(key, value) ? '********' : value, source }] as const;
  });
  return { ...spec, env: Object.fromEntries(env), alerts: spec.alerts.map(redactAlert) };
}

/** A webhook is as good as a password, and so may be what it posts. */
function redactAlert(alert: AlertSpec): AlertSpec {
  const { target } = alert;
  if (target.via !== 'webhook') return alert;
  const url = 'text' in target.url ? { text: '********' } : target.url;
  const body = target.body === null ? null : { '********': '********' };
  return { ...alert, target: { ...target, url, body } };
}

function plainEnvironment(spec: ServiceSpec, which: 'shell' | 'declared'): Environment {
  const environment: Environment = new Map();
  for (const [key, { value, source }] of Object.entries(spec.env)) {
    if ((source === 'shell') === (which === 'shell'))
      environment.set(key, { value, source, isSecret: false });
  }
  if (which === 'shell' && spec.user !== null) {
    const credentials = findCredentials(spec.user, spec.group);
    const source = `user ${spec.user}`;
    for (const key of ['USER', 'LOGNAME'])
      environment.set(key, { value: credentials?.name ?? '', source, isSecret: false });
    environment.set('HOME', { value: credentials?.homeFolder ?? '/', source, isSecret: false });
  }
  return environment;
}

async function readEnvFile(spec: ServiceSpec, file: string): Promise<Record<string, string>> {
  try {
    return parseEnv(await readFile(file, 'utf8')) as Record<string, string>;
  } catch (cause) {
    throw new UpkeepError(
      'start-failed',
      `Cannot start "${spec.name}": env file ${file} cannot be read (${(cause as Error).message})`,
      {
        hint: 'create the file, or remove it from envFiles',
        cause,
      },
    );
  }
}

async function secretOf(spec: ServiceSpec, key: string, secret: SecretSpec): Promise<string> {
  try {
    return await readSecret(secret, spec.cwd);
  } catch (cause) {
    if (!(cause instanceof SecretError)) throw cause;
    const fact = `secret ${key} from secret ${cause.place} failed (${cause.reason})`;
    const hint =
      'file' in secret ? 'create the file, readable for the daemon' : 'run the command by hand to see why';
    throw new UpkeepError('start-failed', `Cannot start "${spec.name}": ${fact}`, { hint });
  }
}
