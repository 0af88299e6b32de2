/** What a line of JSON says beside its level and its message, for a person: without what stands in front of the line already. */
type Fields = Readonly<Record<string, unknown>>;

const TIME_KEYS = ['time', 'timestamp', '@timestamp', 'ts', 't', '@t', 'datetime', 'date'];
const LEVEL_KEYS = ['level', 'severity', 'lvl', 'levelname', 'log.level', 'loglevel', 'log_level', '@l'];
const MESSAGE_KEYS = ['msg', 'message', 'text', '@m', '@mt', 'short_message', 'event', 'log'];
/** Of pino and bunyan, the same in every line. */
const ENVELOPE_KEYS = ['pid', 'hostname', 'v'];
const STACK_KEYS = ['stack', 'stack_trace', 'stacktrace'];
const PLAIN = /^[^\s"'=]+$/;

export interface ReadableFields {
  /** `key=value` */
  readonly pairs: readonly string[];
  /** Lines of stack traces. */
  readonly stack: readonly string[];
}

export function readableFields(fields: Fields, message: string | null): ReadableFields {
  const stack: string[] = [];
  const pairs = Object.entries(fields)
    .filter(([key, value]) => !isSaid(key, value, fields, message))
    .flatMap(([key, value]) => {
      if (!isStack(key, value)) return hasStack(value) ? errorPairs(key, value, stack) : [pair(key, value)];
      stack.push(...value.split('\n'));
      return [];
    });
  return { pairs, stack };
}

function isSaid(key: string, value: unknown, fields: Fields, message: string | null): boolean {
  if (typeof value === 'object' && value !== null) return false;
  if (TIME_KEYS.includes(key) || LEVEL_KEYS.includes(key)) return true;
  if (MESSAGE_KEYS.includes(key)) return value === message;
  return ENVELOPE_KEYS.includes(key) && typeof fields.pid === 'number' && typeof fields.hostname === 'string';
}

/** `err.code=ECONNREFUSED`; what the stack begins with is not repeated. */
function errorPairs(key: string, error: Fields, stack: string[]): string[] {
  const traces = Object.entries(error).filter((entry): entry is [string, string] => isStack(...entry));
  for (const [, text] of traces) stack.push(...text.split('\n'));
  const head = traces[0]?.[1].split('\n')[0] ?? '';
  return Object.entries(error)
    .filter(([name, value]) => !isStack(name, value) && !(typeof value === 'string' && head.includes(value)))
    .map(([name, value]) => pair(`${key}.${name}`, value));
}

function isStack(key: string, value: unknown): value is string {
  return STACK_KEYS.includes(key) && typeof value === 'string' && value.includes('\n');
}

function hasStack(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => isStack(key, inner));
}

function pair(key: string, value: unknown): string {
  const text = typeof value === 'string' && PLAIN.test(value) ? value : JSON.stringify(value);
  return `${key}=${text}`;
}
