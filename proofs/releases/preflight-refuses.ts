/**
 * What cannot work on this host is refused before anything runs, each case by its rule, and no planted secret is in any output.
 *
 * A secret is planted in every value of every case. What was said on the way, the checks, the error, its hint and its stack are searched for it.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { CONTRACT, POLICY, ReleaseHost, type Situation } from '../../test/rig/release-host.js';

const TOKEN = 'tok-5ecret-91aa';
const TYPES = ['integer', 'number', 'boolean', 'array', 'object'] as const;
const FORMATS = ['uri', 'email', 'uuid', 'date-time', 'ipv4', 'hostname'] as const;

interface Case extends Situation {
  readonly what: string;
  /** The rule that must fail. */
  readonly rule: string;
}

const schemaCase = (what: string, property: object, rule = 'wrong-type'): Case => ({
  what,
  rule,
  files: { 'schema.json': JSON.stringify({ required: ['KEY'], properties: { KEY: property } }) },
  env:
    rule === 'missing-key'
      ? { OTHER: TOKEN }
      : rule === 'empty-key'
        ? { KEY: '', OTHER: TOKEN }
        : { KEY: `${TOKEN} _` },
  spec: { contract: { ...CONTRACT, schema: 'schema.json', unknown: 'ignore' } },
});

const policyCase = (rule: string, env: Record<string, string>, manifest: object = {}): Case => ({
  what: `policy: ${Object.keys({ ...env, ...manifest }).join(', ')}`,
  rule,
  files: { 'upkeep.build.json': JSON.stringify({ environment: 'production', ...manifest }) },
  before: {},
  env: { NODE_ENV: 'production', TOKEN, ...env },
  spec: { policy: { ...POLICY, testHosts: ['*.test.internal'] } },
});

const CASES: readonly Case[] = [
  ...TYPES.map((type) => schemaCase(`not a value of type ${type}`, { type })),
  ...FORMATS.map((format) => schemaCase(`not a value of format ${format}`, { type: 'string', format })),
  schemaCase('none of a list', { enum: ['a', 'b'] }),
  schemaCase('not what a pattern wants', { type: 'string', pattern: '^\\d+$' }),
  schemaCase('missing', { type: 'string' }, 'missing-key'),
  schemaCase('empty', { type: 'string' }, 'empty-key'),
  policyCase('test-build', {}, { environment: 'test' }),
  policyCase('dirty-build', {}, { dirty: true }),
  policyCase('downgrade', {}, { version: '1.2.0' }),
  policyCase('commit', {}, { commit: 'fffffff' }),
  policyCase('node-env', { NODE_ENV: TOKEN }),
  policyCase('debug-logging', { DEBUG: TOKEN }),
  policyCase('debug-port', { NODE_OPTIONS: `--inspect=${TOKEN}` }),
  policyCase('example-value', { DB: `postgres://${TOKEN}:changeme@db.internal/${TOKEN}` }),
  policyCase('localhost', { DB: `postgres://u:${TOKEN}@localhost/${TOKEN}` }),
  policyCase('test-host', { DB: `postgres://u:${TOKEN}@db.test.internal/${TOKEN}` }),
  { what: 'a syntax error', rule: 'syntax', files: { 'server.js': 'const a = ;' }, env: { TOKEN } },
  {
    what: 'a file of values that is no JSON',
    rule: 'file',
    files: { 'c.json': `{"a": ${TOKEN}` },
    spec: { contract: { ...CONTRACT, files: ['c.json'] } },
  },
  {
    what: 'a command that fails and prints its secret',
    rule: 'command',
    files: {},
    env: { TOKEN },
    spec: { requires: [{ on: 'command', argv: ['sh', '-c', `echo ${TOKEN}; exit 1`], timeoutMs: 30_000 }] },
  },
  {
    what: 'a database whose driver quotes its URL',
    rule: 'sql',
    files: {
      'node_modules/pg/index.js': `exports.Client = class {
        constructor({ connectionString }) { this.url = connectionString; }
        connect() { throw Object.assign(new Error('no password fits ' + this.url), { code: '28P01' }); }
      };`,
    },
    env: { DATABASE_URL: `postgres://app:${TOKEN}@db.internal/${TOKEN}` },
    spec: { requires: [{ on: 'sql', key: 'DATABASE_URL', timeoutMs: 30_000 }] },
  },
  {
    what: 'a database whose URL is none',
    rule: 'sql',
    files: {},
    env: { DATABASE_URL: `${TOKEN}@db.internal` },
    spec: { requires: [{ on: 'sql', key: 'DATABASE_URL', timeoutMs: 30_000 }] },
  },
  {
    what: 'traffic that is switched by a command that is not there',
    rule: 'load-balancer',
    files: {},
    env: { TOKEN },
    spec: {
      traffic: {
        type: 'command',
        out: { run: ['no-such-command', TOKEN], timeoutMs: 1000 },
        in: { run: ['true'], timeoutMs: 1000 },
      },
    },
  },
];

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const every = Math.max(1, Math.round(1 / Number(values.scale)));
const chosen = CASES.filter((_, index) => index % every === 0);
const host = new ReleaseHost();
const rules = new Set<string>();
let leaks = 0;
try {
  for (const { what, rule, ...situation } of chosen) {
    const { checks, refusal, said } = await host.judge(situation);
    const failed = checks.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name.split(' ')[1]);
    assert.equal(refusal?.code, 'release-refused', `${what}: not refused`);
    assert.ok(failed.includes(rule), `${what}: refused by ${failed.join(', ')}, not by ${rule}`);
    assert.ok(refusal.hint, `${what}: without a next step`);
    if (said.includes(TOKEN)) {
      leaks++;
      console.log(`LEAK ${what}: ${said}`);
    }
    rules.add(rule);
  }
} finally {
  host.remove();
}
console.log(
  `${chosen.length} of ${CASES.length} cases refused by ${rules.size} rules, each with a next step; ${leaks} secrets told`,
);
assert.equal(leaks, 0);
