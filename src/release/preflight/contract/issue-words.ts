/**
 * Puts what schema libraries report into words of our own. Their own messages quote the value; here only what the schema demands
 * is told. It runs in the child that loads the schema.
 */

/** A plain object of zod, joi, valibot, or whatever speaks Standard Schema. */
export interface Issue {
  readonly path?: readonly unknown[] | undefined;
  readonly [key: string]: unknown;
}

const NONE_OF = 'is none of the allowed values';
/** What a schema may be quoted with. */
const PLAIN = /^[\w.\- |"'()]{1,60}$/;

export function wordIssue(issue: Issue): string {
  const { code, type, expected } = issue;
  if (code === 'invalid_type' && isPlain(expected)) return `is not ${withArticle(expected)}`;
  if (code === 'invalid_value' || code === 'invalid_enum_value' || code === 'invalid_literal') return NONE_OF;
  if (type === 'any.only' || type === 'picklist' || type === 'enum' || type === 'literal') return NONE_OF;
  const limit = limitOf(issue);
  if (limit !== undefined) return limit;
  const form = formOf(issue);
  if (form !== undefined) return `is not a valid ${form}`;
  if (isPlain(type) && type.endsWith('.base')) return `is not ${withArticle(type.replace('.base', ''))}`;
  if (issue['kind'] === 'schema' && isPlain(expected)) return `is not ${withArticle(expected)}`;
  const word = [code, type].find((each) => isPlain(each));
  return isPlain(word) ? `does not fit (${word})` : 'does not fit';
}

/** The keys that a strict schema does not know. */
export function unknownKeys(issue: Issue): string[] | undefined {
  const { code, type, keys, path = [] } = issue;
  if (code === 'unrecognized_keys' && Array.isArray(keys)) return keys.map(String);
  if (type === 'object.unknown') return [pathOf(path)];
  if (type === 'strict_object' && issue['expected'] === 'never') return [pathOf(path)];
  return undefined;
}

/** Parts are keys, or objects with one. */
export function pathOf(path: readonly unknown[]): string {
  return path
    .map((part) =>
      typeof part === 'object' && part !== null && 'key' in part ? String(part.key) : String(part),
    )
    .join('.');
}

function limitOf({ code, type, minimum, maximum, origin, context, requirement }: Issue): string | undefined {
  const { limit } = (context ?? {}) as { limit?: unknown };
  const isText = origin === 'string' || type === 'string' || /^string\.|length/.test(String(type));
  const unit = isText ? ' characters' : '';
  const less = isText ? 'is shorter than' : 'is less than';
  const more = isText ? 'is longer than' : 'is more than';
  if (code === 'too_small' && typeof minimum === 'number') return `${less} ${minimum}${unit}`;
  if (code === 'too_big' && typeof maximum === 'number') return `${more} ${maximum}${unit}`;
  const bound = typeof limit === 'number' ? limit : requirement;
  if (typeof bound !== 'number') return undefined;
  if (/(?:^|[._])min/.test(String(type))) return `${less} ${bound}${unit}`;
  return /(?:^|[._])max/.test(String(type)) ? `${more} ${bound}${unit}` : undefined;
}

const FORMS = /^(?:string\.)?(url|uri|email|uuid|guid|ip|ipv4|ipv6|hostname|domain|iso\w*|hex|base64|port)$/;

function formOf({ code, format, validation, type }: Issue): string | undefined {
  if (code === 'invalid_format' && isPlain(format)) return format === 'regex' ? undefined : format;
  if (code === 'invalid_string' && isPlain(validation))
    return validation === 'regex' ? undefined : validation;
  if (type === 'number.port') return 'port';
  return FORMS.exec(String(type))?.[1];
}

function isPlain(word: unknown): word is string {
  return typeof word === 'string' && PLAIN.test(word);
}

function withArticle(type: string): string {
  if (!/^[a-z]+$/i.test(type)) return type;
  return /^[aeio]/i.test(type) ? `an ${type}` : `a ${type}`;
}
