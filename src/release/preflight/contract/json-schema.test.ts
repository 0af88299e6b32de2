import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSchema } from './json-schema.js';
import { ContractFault } from './violation.js';

const SECRET = 'tok-5ecret';

async function judge(schema: object, env: Record<string, string>, files: Record<string, unknown> = {}) {
  const { violations } = (await compileSchema(schema)).judge(new Map(Object.entries(env)), files);
  assert.ok(!JSON.stringify(violations).includes(SECRET));
  return violations.map(({ key, problem, words }) => `${key} ${problem}: ${words}`).sort();
}

test('text of the environment is read as its key wants it', async () => {
  const schema = {
    $id: 'https://schemas.test/config.json',
    $schema: 'http://json-schema.org/draft-07/schema#',
    $defs: { port: { type: 'integer', maximum: 65_535 } },
    properties: {
      PORT: { $ref: '#/$defs/port' },
      ON: { type: 'boolean' },
      LIST: { type: 'array', items: { type: 'integer' } },
      'A/B~C': { type: 'number' },
    },
  };
  assert.deepEqual(await judge(schema, { PORT: '80', ON: 'true', LIST: '[1, 2]', 'A/B~C': '1.5' }), []);
  assert.deepEqual(await judge(schema, { PORT: SECRET, ON: SECRET, LIST: SECRET, 'A/B~C': SECRET }), [
    'A/B~C wrong: is not a number',
    'LIST wrong: is not an array',
    'ON wrong: is not a boolean',
    'PORT wrong: is not an integer',
  ]);
  assert.deepEqual(await judge(schema, { PORT: '70000' }), ['PORT wrong: must be <= 65535']);
});

test('everything is told, by what the schema says and never by what was there', async () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    required: ['URL', 'GONE', 'EMPTY', 'db'],
    properties: {
      URL: { type: 'string', format: 'uri' },
      MODE: { enum: ['a', 'b'] },
      CODE: { type: 'string', pattern: '^[A-Z]+$' },
      EMPTY: { type: 'string' },
      db: {
        type: 'object',
        required: ['host'],
        properties: { port: { type: 'integer' } },
        additionalProperties: false,
      },
    },
  };
  const env = { URL: SECRET, MODE: SECRET, CODE: SECRET, EMPTY: '', UNKNOWN: SECRET };
  assert.deepEqual(await judge(schema, env, { db: { port: SECRET, other: SECRET } }), [
    'CODE wrong: does not match ^[A-Z]+$',
    'EMPTY empty: is empty',
    'GONE missing: is missing',
    'MODE wrong: is none of "a", "b"',
    'URL wrong: is not a valid uri',
    'db.host missing: is missing',
    'db.other unknown: is not in the schema',
    'db.port wrong: is not an integer',
  ]);
});

test('a number in a file is not the text of one', async () => {
  assert.deepEqual(await judge({ properties: { port: { type: 'integer' } } }, {}, { port: '80' }), [
    'port wrong: is not an integer',
  ]);
});

test('a schema that is none is a fault of the release', async () => {
  await assert.rejects(compileSchema([]), ContractFault);
  await assert.rejects(compileSchema({ properties: { A: { $ref: '#/nowhere' } } }), ContractFault);
  await assert.rejects(compileSchema({ properties: { A: { type: 'text' } } }), ContractFault);
});
