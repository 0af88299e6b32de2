import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { configJsonSchema, type JsonSchema } from './json-schema.js';

const schema = configJsonSchema(readFileSync(new URL('./define.ts', import.meta.url), 'utf8'));
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

function servicesOf({ properties }: JsonSchema): JsonSchema | undefined {
  return properties?.['services']?.anyOf?.[0];
}

function undescribed(
  { properties = {}, items, additionalProperties, anyOf = [] }: JsonSchema,
  path: string,
): string[] {
  const own = Object.entries(properties).flatMap(([key, property]) => [
    ...(property.description ? [] : [`${path}.${key}`]),
    ...undescribed(property, `${path}.${key}`),
  ]);
  const inner = [items, additionalProperties, ...anyOf].filter((each) => typeof each === 'object');
  return [...own, ...inner.flatMap((each) => undescribed(each, path))];
}
