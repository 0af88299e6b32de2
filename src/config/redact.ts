/** Decides what must never be printed: values of variables with a telling name, and passwords in URLs. */

const SECRET_WORD =
  'secret|token|passw|pwd|credential|api_?key|private_?key|webhook|authorization|otlp_[a-z_]*headers';
const SECRET_KEY = new RegExp(SECRET_WORD, 'i');
// What any word could begin by is looked for only where words begin, or at its end: a value may be one word of 100 KB.
/** Digits and a slash behind the colon are a port. */
const URL_PASSWORD = /([a-z0-9+.-]:\/\/[^\s:/@'"]*:)(?!\d+\/)([^\s@'"]+)(@)/gi;
/** A name of such a length is a token: `https://glpat-…@example.com/shop.git`. */
const URL_TOKEN = /([a-z0-9+.-]:\/\/)[^\s:/@'"]{20,}(?=(?::[^\s@/'"]*)?@)/gi;
/** `KEY: value`, `"KEY": "value"`, `KEY=value`; an unquoted value reaches to the end of the line. */
const SECRET_ASSIGNMENT = new RegExp(
  `(?<![\\w-])([\\w-]*(?:${SECRET_WORD})[\\w-]*["']?\\s*[:=]\\s*)("(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?|[^\\s{[].*)`,
  'gi',
);

/** Of AWS, Google, Azure and others. */
const SIGNATURE = '(?:sig|key|auth|jwt|[\\w.-]*signature)';
const SIGNATURE_KEY = new RegExp(`^${SIGNATURE}$`, 'i');
const SIGNED = new RegExp(`([?&]${SIGNATURE}=)[^&\\s"'#]+`, 'gi');

const SECRET_IN_COMMAND = new RegExp(`(?:${SECRET_WORD})[\\w-]*\\s*[:=]\\s*["']?(?![\\s"'$<{]|$)`, 'i');

export const HIDDEN = '[hidden]';

export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

export function hasUrlPassword(value: string): boolean {
  return value.search(URL_PASSWORD) >= 0 || value.search(URL_TOKEN) >= 0;
}

/** `https://example.com/app.tgz?private_token=…`, and what object storages sign their URLs by; not where it is filled in: `{version}`. */
export function hasSecretParameter(value: string): boolean {
  const [, query = ''] = /^[a-z][a-z0-9+.-]*:\/\/[^\s?#]*\?(\S*)/i.exec(value) ?? [];
  return [...new URLSearchParams(query).entries()].some(
    ([key, text]) => (isSecretKey(key) || SIGNATURE_KEY.test(key)) && text !== '' && !/^\{\w+\}$/.test(text),
  );
}

/** `--token=abc`, but not what takes the value from elsewhere: `--token=$TOKEN`. */
export function hasSecretAssignment(value: string): boolean {
  return SECRET_IN_COMMAND.test(value);
}

export function redactUrls(text: string): string {
  return text
    .replace(URL_PASSWORD, `$1${HIDDEN}$3`)
    .replace(URL_TOKEN, `$1${HIDDEN}`)
    .replace(SIGNED, `$1${HIDDEN}`);
}

/** One line of source or text, with what looks secret masked. */
export function redactText(text: string): string {
  return redactUrls(text.replace(SECRET_ASSIGNMENT, `$1${HIDDEN}`));
}

/** A value as it may stand in a message: short, quoted when it is text, hidden when its place looks secret. */
export function showValue(value: unknown, path: readonly (string | number)[] = []): string {
  if (path.some((item) => typeof item === 'string' && isSecretKey(item))) return HIDDEN;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return 'a map';
  if (typeof value !== 'string') return String(value);
  const text = JSON.stringify(redactText(value));
  return text.length > 80 ? `${text.slice(0, 76)}..."` : text;
}
