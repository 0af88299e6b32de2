/** Extended headers (pax): lines of `<length> <key>=<value>` that say more of the next entry, or of all. */
import { refusal, type Refusal } from '../refusal.js';
import { decodeUtf8 } from '../text.js';

/** What has no effect on what is extracted; keys of vendors have their names before a dot. */
const IGNORED = /^(?:atime|ctime|uid|gid|uname|gname|comment|[A-Z][A-Z0-9]*\.[\w.:-]+)$/;
/** Of one entry only. */
const OBEYED = ['path', 'linkpath', 'size', 'mtime'] as const;

export type PaxRecords = Partial<Record<(typeof OBEYED)[number], string>>;

export function readPax(
  bytes: Buffer,
  isGlobal: boolean,
): { readonly records: PaxRecords } | { readonly refusal: Refusal } {
  const records: PaxRecords = {};
  const seen = new Set<string>();
  let at = 0;
  while (at < bytes.length) {
    const line = readLine(bytes, at);
    if (!line) return { refusal: refusal('extended-header', 'has an extended header that cannot be read') };
    const { key, value, end } = line;
    if (seen.has(key))
      return { refusal: refusal('extended-header', `has two values for "${key}" in its extended header`) };
    const found = judgeKey(key, isGlobal);
    if (found) return { refusal: found };
    seen.add(key);
    if (isObeyed(key)) records[key] = value;
    at = end;
  }
  return { records };
}

function judgeKey(key: string, isGlobal: boolean): Refusal | undefined {
  if (key.startsWith('GNU.sparse.')) return refusal('sparse', 'is a sparse file');
  if (isObeyed(key)) {
    return isGlobal ? refusal('extended-header', `sets "${key}" for all entries at once`) : undefined;
  }
  return IGNORED.test(key)
    ? undefined
    : refusal(
        'extended-header',
        `has ${JSON.stringify(key.slice(0, 40))} in its extended header, which is not known`,
      );
}

function isObeyed(key: string): key is (typeof OBEYED)[number] {
  return (OBEYED as readonly string[]).includes(key);
}

function readLine(bytes: Buffer, at: number): { key: string; value: string; end: number } | undefined {
  const [, digits] = /^([1-9]\d{0,8}) /.exec(bytes.toString('latin1', at, at + 10)) ?? [];
  if (digits === undefined) return undefined;
  const end = at + Number(digits);
  const start = at + digits.length + 1;
  if (end > bytes.length || end <= start || bytes[end - 1] !== 0x0a) return undefined;
  const line = bytes.subarray(start, end - 1);
  const equals = line.indexOf('=');
  if (equals < 1) return undefined;
  const key = decodeUtf8(line.subarray(0, equals));
  if (key === undefined) return undefined;
  // What vendors keep may be of any bytes, and is not looked at.
  const value = decodeUtf8(line.subarray(equals + 1)) ?? (isObeyed(key) ? undefined : '');
  return value === undefined ? undefined : { key, value, end };
}
