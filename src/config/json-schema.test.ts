import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { configJsonSchema, DEFINITIONS, type JsonSchema } from './json-schema.js';

const schema = configJsonSchema(
  DEFINITIONS.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8')),
);
const validate = new Ajv({ strict: false }).compile(schema);

test('the JSON Schema accepts what loadConfig accepts', () => {
  const config = {
    $schema: './node_modules/upkeep/dist/upkeep.schema.json',
    env: { LOG: 'info', EMPTY: null },
    services: {
      api: { script: 'server.js', instances: 'max', port: 3000, restart: { delay: '1s' }, ready: 'port' },
    },
  };
  assert.ok(validate(config), JSON.stringify(validate.errors));
});

test('the JSON Schema refuses unknown keys and wrong values', () => {
  assert.ok(!validate({ services: { api: { scrpt: 'server.js' } } }));
  assert.ok(!validate({ services: { api: { script: 'server.js', instances: 'two' } } }));
  assert.ok(!validate({}));
});

test('every property of the JSON Schema has a description', () => {
  assert.deepEqual(undescribed(schema, 'config'), []);
});

test('defaults of the JSON Schema come from the types', () => {
  const service = servicesOf(schema)?.additionalProperties as JsonSchema;
  assert.equal(service.properties?.['instances']?.default, 1);
  const [, restart] = service.properties?.['restart']?.anyOf ?? [];
  assert.equal(restart?.properties?.['delay']?.default, '100ms');
});

test('of a source each kind has its own keys and texts', () => {
  const releases = schema.properties?.['releases']?.additionalProperties as JsonSchema;
  const kinds = releases.properties?.['source']?.oneOf ?? [];
  const texts = kinds.map(({ properties = {} }) => properties['url']?.description?.split(/[,;.]/, 1)[0]);
  assert.deepEqual(texts, [
    'The server',
    'The API',
    'Anything that `git clone` takes',
    undefined,
    'The archive',
    undefined,
  ]);
  assert.equal(kinds[0]?.properties?.['url']?.default, 'https://gitlab.com');
});

test('the JSON Schema refuses a source of unknown kind and a rule that does not exist', () => {
  const services = { shop: { script: 'server.js' } };
  const withRelease = (release: object) => validate({ services, releases: { shop: release } });
  assert.ok(withRelease({ source: { type: 'git', url: 'x' }, policy: { rules: { 'debug-port': 'warn' } } }));
  assert.ok(!withRelease({ source: { type: 'svn' } }));
  assert.ok(!withRelease({ source: { type: 'git', job: 'build' } }));
  assert.ok(!withRelease({ policy: { rules: { 'debug-prt': 'warn' } } }));
});

function servicesOf({ properties }: JsonSchema): JsonSchema | undefined {
  return properties?.['services']?.anyOf?.[0];
}

function undescribed(
  { properties = {}, items, additionalProperties, anyOf = [], oneOf = [] }: JsonSchema,
  path: string,
): string[] {
  const own = Object.entries(properties).flatMap(([key, property]) => [
    ...(property.description ? [] : [`${path}.${key}`]),
    ...undescribed(property, `${path}.${key}`),
  ]);
  const inner = [items, additionalProperties, ...anyOf, ...oneOf].filter((each) => typeof each === 'object');
  return [...own, ...inner.flatMap((each) => undescribed(each, path))];
}
