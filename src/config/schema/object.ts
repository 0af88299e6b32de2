/** Maps of the schema: valibot's strict object, but every unknown key is reported, and lists are no maps. */
import * as v from 'valibot';
import { mostSimilar } from '../../util/index.js';
import { say, type Saying } from './say.js';

const sayNotMap = (example: string): Saying => say('{value} is not a map', `write {key}: ${example}`);

type Run = v.GenericSchema['~run'];

/** By valibot, in every record, without a word. */
const PASSED_OVER = ['__proto__', 'prototype', 'constructor'];
export const sayInherited = say(
  '{value} is not allowed as a name, it is a word of JavaScript',
  'choose another name',
);

/** An object with these keys and no others. `example`: a whole one; `foreign`: hints for words of others; `otherwise`: what is no map. */
export function object<const E extends v.ObjectEntries>(
  example: string,
  entries: E,
  foreign: Readonly<Record<string, string>> = {},
  otherwise: Saying = sayNotMap(example),
): v.StrictObjectSchema<E, undefined> {
  const schema = v.strictObject(entries);
  const run: Run = (dataset, config) => {
    const input = dataset.value;
    if (!isMap(input)) return addIssue(schema, dataset, config, otherwise);
    const keys = Object.keys(input);
    const unknown = keys.filter((key) => !Object.hasOwn(entries, key));
    const known = Object.fromEntries(Object.entries(input).filter(([key]) => !unknown.includes(key)));
    const result = schema['~run']({ value: known }, config);
    for (const key of unknown) {
      addIssue(schema, result, config, sayUnknown(key, Object.keys(entries), foreign), key);
    }
    return result;
  };
  return { ...schema, '~run': run as (typeof schema)['~run'] };
}

/** A map from any key that `key` accepts. */
export function record<K extends v.GenericSchema<string, string>, V extends v.GenericSchema>(
  example: string,
  key: K,
  value: V,
): v.RecordSchema<K, V, undefined> {
  const schema = v.record(key, value);
  const run: Run = (dataset, config) => {
    const input = dataset.value;
    if (!isMap(input)) return addIssue(schema, dataset, config, sayNotMap(example));
    const result = schema['~run'](dataset, config);
    for (const passedOver of Object.keys(input).filter((each) => PASSED_OVER.includes(each)))
      addIssue(schema, result, config, sayInherited, passedOver);
    return result;
  };
  return { ...schema, '~run': run as (typeof schema)['~run'] };
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sayUnknown(
  key: string,
  known: readonly string[],
  foreign: Readonly<Record<string, string>>,
): Saying {
  const near = mostSimilar(key, known);
  const own = Object.hasOwn(foreign, key) ? foreign[key] : undefined;
  const hint = own ?? (near ? `did you mean "${near}"?` : `known keys: ${known.join(', ')}`);
  return say(`"${key}" is not a known key`, hint);
}

type Dataset = v.OutputDataset<unknown, v.BaseIssue<unknown>>;

/** An issue on the map itself, or on one of its keys. */
function addIssue(
  schema: object,
  dataset: v.UnknownDataset | Dataset,
  config: v.Config<v.BaseIssue<unknown>>,
  message: Saying,
  key?: string,
): Dataset {
  const label = key === undefined ? 'type' : 'key';
  const place = key === undefined ? {} : { input: key, path: [keyItem(dataset.value, key)] };
  v._addIssue({ ...schema, message } as never, label, dataset, config, place as never);
  return dataset as Dataset;
}

function keyItem(input: unknown, key: string): v.IssuePathItem {
  return { type: 'object', origin: 'key', input: input as Record<string, unknown>, key, value: undefined };
}
