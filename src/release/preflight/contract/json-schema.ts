/**
 * Judges values by a JSON Schema. What stands in the environment is text, and is read as its key wants it, as programs do; what
 * stands in files is taken as it is.
 */
import type { Ajv as AjvClass, ErrorObject, Options } from 'ajv';
import { isRecord } from '../facts/config-file.js';
import { ContractFault, type Verdict, type Violation } from './violation.js';

const OPTIONS: Options = { strict: false, allErrors: true, verbose: false, logger: false };
const ID = 'contract';

export interface SchemaJudge {
  readonly keys: ReadonlySet<string>;
  judge(environment: ReadonlyMap<string, string>, files: Readonly<Record<string, unknown>>): Verdict;
}

/** Ajv is large: it is loaded where there is a schema. */
export async function compileSchema(schema: unknown): Promise<SchemaJudge> {
  if (!isRecord(schema)) throw new ContractFault('is no JSON Schema', 'write an object with "properties"');
  const [strict, coercing] = await Promise.all([
    load(schema, OPTIONS),
    load(schema, { ...OPTIONS, coerceTypes: true }),
  ]);
  const keys = new Set(Object.keys(propertiesOf(schema, schema)));
  const validate = attempt(() => strict.compile({ $ref: `${ID}#` }));
  const read = (key: string, text: string): unknown => readAs(coercing, schema, key, text);
  return {
    keys,
    judge(environment, files) {
      const own = [...environment].filter(([key]) => keys.has(key));
      const values = { ...files, ...Object.fromEntries(own.map(([key, text]) => [key, read(key, text)])) };
      validate(values);
      const empty = new Set(own.filter(([, text]) => text === '').map(([key]) => key));
      const errors = (validate.errors ?? []).filter(({ keyword }) => !COMPOSED.has(keyword));
      const violations = errors.map(toViolation).filter(({ key }) => !empty.has(key));
      const required = requiredOf(schema, schema);
      for (const key of empty) {
        if (required.has(key) || errors.some((each) => keyOf(each) === key))
          violations.push({ key, problem: 'empty', words: 'is empty' });
      }
      return { keys, violations };
    },
  };
}

/** They only say that something within did not fit, which is told itself. */
const COMPOSED = new Set(['if', 'allOf']);

async function load(schema: Record<string, unknown>, options: Options): Promise<AjvClass> {
  const draft = schema['$schema'];
  const isNew = typeof draft === 'string' && /20(?:19|20)-/.test(draft);
  const module = isNew ? await import('ajv/dist/2020.js') : await import('ajv');
  const { default: addFormats } = await import('ajv-formats');
  const Ajv = 'Ajv2020' in module ? module.Ajv2020 : module.Ajv;
  const ajv = new Ajv(options);
  (addFormats as unknown as (ajv: AjvClass) => void)(ajv);
  // Its own $id and $schema may name what only the net knows.
  const rest = Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id');
  return attempt(() => ajv.addSchema(Object.fromEntries(rest), ID));
}

function attempt<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw new ContractFault(
      `cannot be compiled (${(error as Error).message})`,
      'correct the schema, and build again',
    );
  }
}

function readAs(ajv: AjvClass, schema: Record<string, unknown>, key: string, text: string): unknown {
  const { type } = propertiesOf(schema, schema)[key] ?? {};
  if (type === 'object' || type === 'array') {
    try {
      return JSON.parse(text);
    } catch {
      return text; // which is then found to be neither
    }
  }
  const escaped = key.replaceAll('~', '~0').replaceAll('/', '~1');
  if (!isRecord(schema['properties']) || !(key in schema['properties'])) return text;
  const holder: Record<string, unknown> = { [key]: text };
  ajv.compile({ properties: { [key]: { $ref: `${ID}#/properties/${encodeURIComponent(escaped)}` } } })(
    holder,
  );
  return holder[key];
}

/** Of the schema, what it refers to and what it is composed of. */
function propertiesOf(
  schema: unknown,
  root: Record<string, unknown>,
  depth = 0,
): Record<string, Record<string, unknown>> {
  if (!isRecord(schema) || depth > 8) return {};
  const parts = ['allOf', 'anyOf', 'oneOf'].flatMap((word) => (schema[word] as unknown[] | undefined) ?? []);
  const all = [...parts, lookUp(schema['$ref'], root)].map((part) => propertiesOf(part, root, depth + 1));
  return Object.assign({}, ...all, schema['properties']) as Record<string, Record<string, unknown>>;
}

function requiredOf(schema: unknown, root: Record<string, unknown>, depth = 0): Set<string> {
  if (!isRecord(schema) || depth > 8) return new Set();
  const parts = [...((schema['allOf'] as unknown[] | undefined) ?? []), lookUp(schema['$ref'], root)];
  const own = (schema['required'] as string[] | undefined) ?? [];
  return new Set([...own, ...parts.flatMap((part) => [...requiredOf(part, root, depth + 1)])]);
}

function lookUp(ref: unknown, root: Record<string, unknown>): unknown {
  if (typeof ref !== 'string' || !ref.startsWith('#/')) return undefined;
  return ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, part) => (isRecord(at) ? at[part] : undefined), root);
}

function toViolation(error: ErrorObject): Violation {
  const key = keyOf(error);
  const { keyword } = error;
  if (keyword === 'required') return { key, problem: 'missing', words: 'is missing' };
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties')
    return { key, problem: 'unknown', words: 'is not in the schema' };
  return { key, problem: 'wrong', words: wordError(error) };
}

function keyOf({ instancePath, params }: ErrorObject): string {
  const path = instancePath.split('/').slice(1);
  const { missingProperty, additionalProperty, unevaluatedProperty } = params as Record<string, unknown>;
  const last = missingProperty ?? additionalProperty ?? unevaluatedProperty;
  const words = path.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return (typeof last === 'string' ? [...words, last] : words).join('.');
}

const MOST_CHOICES = 8;

/** Only what the schema says goes into the words. */
function wordError({ keyword, params, message }: ErrorObject): string {
  const { type, format, pattern, allowedValues } = params as Record<string, unknown>;
  switch (keyword) {
    case 'type':
      return `is not ${wordType(String(type))}`;
    case 'format':
      return `is not a valid ${String(format)}`;
    case 'pattern':
      return `does not match ${String(pattern)}`;
    case 'enum':
      return (allowedValues as unknown[]).length > MOST_CHOICES
        ? 'is none of the allowed values'
        : `is none of ${(allowedValues as unknown[]).map((each) => JSON.stringify(each)).join(', ')}`;
    case 'const':
      return 'is not the only value that is allowed';
    default:
      return message ?? `does not fit (${keyword})`;
  }
}

export function wordType(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}
