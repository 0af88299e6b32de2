/**
 * What the environment of the daemon says about an export: the variables of
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and of the SDKs, as far as they concern metrics. Pure. Headers are secrets,
 * and so may be what stands in a URL: no problem names them.
 */
export interface OtlpOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Of one request, milliseconds. @default 10000 */
  readonly timeoutMs: number;
  /** From one export to the next, milliseconds. @default 60000 */
  readonly intervalMs: number;
  /** Of the resource, beside what is known of the machine. */
  readonly attributes: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string | undefined>>;

class Problem extends Error {}

/** undefined: no export is asked for. */
export function otlpOptions(env: Env): OtlpOptions | { readonly problem: string } | undefined {
  const exporters = (env['OTEL_METRICS_EXPORTER'] || 'otlp').split(',').map((name) => name.trim());
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || !exporters.includes('otlp')) return undefined;
  if (!env['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'] && !env['OTEL_EXPORTER_OTLP_ENDPOINT']) return undefined;
  try {
    refuseOtherProtocols(env);
    return {
      url: endpointOf(env),
      headers: pairsOf(env, specific(env, 'HEADERS')),
      timeoutMs: millisecondsOf(env, specific(env, 'TIMEOUT'), 10_000),
      intervalMs: millisecondsOf(env, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000),
      attributes: attributesOf(env),
    };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    throw error;
  }
}

/** The variable for metrics, where it is set, else the one for everything. */
function specific(env: Env, word: string): string {
  const own = `OTEL_EXPORTER_OTLP_METRICS_${word}`;
  return env[own] ? own : `OTEL_EXPORTER_OTLP_${word}`;
}

/** The one for metrics is taken as it is, to the one for everything the path of the signal is added. */
function endpointOf(env: Env): URL {
  const name = specific(env, 'ENDPOINT');
  const text = env[name]!;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Problem(`${name} is no URL: write http://127.0.0.1:4318`);
  const url = new URL(text);
  refuseBrokenUser(url, name);
  if (name === 'OTEL_EXPORTER_OTLP_ENDPOINT') url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/metrics`;
  return url;
}

/** node:http would throw at each request. */
function refuseBrokenUser({ username, password }: URL, name: string): void {
  try {
    decodeURIComponent(username + password);
  } catch (error) {
    throw new Problem(`${name} has a user or a password that is not percent-encoded`, { cause: error });
  }
}

function refuseOtherProtocols(env: Env): void {
  const name = specific(env, 'PROTOCOL');
  const protocol = env[name] || 'http/json';
  if (protocol === 'http/json') return;
  throw new Problem(
    `${name} is ${protocol}, and upkeep speaks http/json: set OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/json, and an endpoint for HTTP (usually port 4318)`,
  );
}

function millisecondsOf(env: Env, name: string, otherwise: number): number {
  const text = env[name];
  if (!text) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 100 || value > 2 ** 31 - 1)
    throw new Problem(`${name} is "${text}": write milliseconds, 100 or more`);
  return value;
}

function attributesOf(env: Env): Record<string, string> {
  const name = env['OTEL_SERVICE_NAME'];
  return { ...pairsOf(env, 'OTEL_RESOURCE_ATTRIBUTES'), ...(name ? { 'service.name': name } : {}) };
}

/** `key=value,key2=value2`, percent-encoded. */
function pairsOf(env: Env, name: string): Record<string, string> {
  const parts = (env[name] ?? '').split(',').filter((part) => part.trim() !== '');
  return Object.fromEntries(parts.map((part, index) => pairOf(part, `entry ${index + 1} of ${name}`)));
}

function pairOf(part: string, place: string): [string, string] {
  const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
  if (key === undefined || value === undefined) throw new Problem(`${place} is not key=value`);
  try {
    const [name, text] = [decodeURIComponent(key), decodeURIComponent(value)];
    if (
      place.endsWith('HEADERS') &&
      !(/^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(text))
    )
      throw new Problem(`${place} is no header`);
    return [name, text];
  } catch (error) {
    if (error instanceof URIError) throw new Problem(`${place} is not percent-encoded`, { cause: error });
    throw error;
  }
}
