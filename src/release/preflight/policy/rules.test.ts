import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POLICY_RULES, type PolicyRule } from '../../../protocol/index.js';
import { BUILD_RULES } from './build-rules.js';
import { hostsOf, matchesHost } from './hosts.js';
import { judgePolicy } from './judge-policy.js';
import type { PolicyFacts } from './policy-facts.js';
import { VALUE_RULES } from './value-rules.js';

const BUILD: PolicyFacts['build'] = {
  manifest: { commit: 'abcdef1234', version: '1.4.0', environment: 'production', dirty: false },
  packageVersion: '1.4.0',
  commit: 'abcdef1234567',
  version: '1.4.0',
};

const FACTS: PolicyFacts = {
  policy: {
    target: 'production',
    rules: Object.fromEntries(POLICY_RULES.map((rule) => [rule, 'refuse'])),
    testHosts: ['*.test.internal', 'staging.internal'],
    waivers: [],
  },
  isRollback: false,
  host: 'app2',
  target: { commit: 'abcdef1', ref: 'v1.4.0' },
  build: BUILD,
  previous: { id: '11', version: '1.3.9' },
  services: [
    { name: 'api', argv: ['node', 'server.js'], isNode: true, env: new Map([['NODE_ENV', 'production']]) },
  ],
  settings: [],
};

const withSettings = (
  settings: Record<string, string>,
  examples: Record<string, string> = {},
): PolicyFacts => ({
  ...FACTS,
  settings: Object.entries(settings).map(([key, value]) => ({
    key,
    value,
    place: 'api',
    source: '.env',
    example: examples[key] ?? null,
  })),
});

function broken(facts: PolicyFacts): string[] {
  return judgePolicy(facts).flatMap(({ rule, verdict }) => (verdict === 'failed' ? [rule] : []));
}

/** Keys of the settings that a rule speaks of. */
function told(
  rule: PolicyRule,
  settings: Record<string, string>,
  examples: Record<string, string> = {},
): string[] {
  const { [rule]: judge } = { ...BUILD_RULES, ...VALUE_RULES };
  return judge(withSettings(settings, examples)).map(({ text }) => text.split(' ')[0]!);
}

test('a build that is what was asked for breaks no rule, and each rule says so', () => {
  assert.deepEqual(broken(FACTS), []);
  assert.equal(judgePolicy(FACTS).length, POLICY_RULES.length);
});

test('a build for another target, of another commit, of changed files is told', () => {
  const build = (manifest: object): PolicyFacts => ({
    ...FACTS,
    build: { ...BUILD, manifest: { ...BUILD.manifest, ...manifest } },
  });
  assert.deepEqual(broken(build({ environment: 'test' })), ['test-build']);
  assert.deepEqual(broken(build({ environment: 'prod' })), []);
  assert.deepEqual(broken(build({ commit: 'fff' })), ['commit']);
  assert.deepEqual(broken(build({ dirty: true })), ['dirty-build']);
  assert.deepEqual(broken(build({ version: '1.3.0' })), ['version-tag', 'downgrade']);
  const silent = { manifest: null, packageVersion: null, commit: null, version: null };
  assert.deepEqual(broken({ ...FACTS, build: silent }), ['commit']);
});

test('a build without a manifest is not known to be for the target', () => {
  const found = judgePolicy({ ...FACTS, build: { ...BUILD, manifest: null } });
  assert.equal(found.find(({ rule }) => rule === 'test-build')?.verdict, 'unknown');
});

test('the version must be the one of the tag, and not lower than what runs', () => {
  assert.deepEqual(broken({ ...FACTS, target: { ref: 'web@1.5.0' } }), ['version-tag']);
  assert.deepEqual(broken({ ...FACTS, target: { ref: 'main' } }), []);
  assert.deepEqual(broken({ ...FACTS, target: { version: 'v1.4.0' } }), []);
  assert.deepEqual(broken({ ...FACTS, previous: { id: '11', version: '1.10.0' } }), ['downgrade']);
  assert.deepEqual(broken({ ...FACTS, previous: { id: '11', version: '1.4.0' } }), []);
});

test('a rule warns or is silent where the policy says so', () => {
  const rules = { ...FACTS.policy.rules, 'node-env': 'warn', commit: 'ignore' } as const;
  const services = [{ name: 'api', argv: ['node'], isNode: true, env: new Map<string, string>() }];
  const found = judgePolicy({ ...FACTS, policy: { ...FACTS.policy, rules }, services });
  assert.equal(found.find(({ rule }) => rule === 'node-env')?.verdict, 'warned');
  assert.ok(!found.some(({ rule }) => rule === 'commit'));
});

test('debug logging is found in variables and in files, and ordinary words are not', () => {
  const on = {
    LOG_LEVEL: 'debug',
    APP_LOG_LEVEL: 'TRACE',
    DEBUG: '*',
    NODE_DEBUG: 'http',
    'db.logging': 'true',
    'sequelize.logging': 'all',
    SQL_LOGGING: '1',
    DB_LOGGING: 'true',
    'log.level': 'silly',
    logLevel: 'verbose',
    'app.debug': 'true',
    logQueries: 'true',
  };
  assert.deepEqual(told('debug-logging', on), Object.keys(on));
  const off = {
    LOG_LEVEL: 'info',
    DEBUG: '',
    'db.logging': 'false',
    CATALOGUE: 'all',
    debugger: 'x',
    BLOGGING: 'true',
  };
  assert.deepEqual(told('debug-logging', off), []);
});

test('a debug port is found in arguments, NODE_OPTIONS and keys', () => {
  assert.deepEqual(
    told('debug-port', { NODE_OPTIONS: '--enable-source-maps --inspect=0.0.0.0', debugPort: '9229' }),
    ['NODE_OPTIONS', 'debugPort'],
  );
  assert.deepEqual(told('debug-port', { NODE_OPTIONS: '--inspector-is-not-one', PORT: '80' }), []);
  const services = [{ ...FACTS.services[0]!, argv: ['node', '--inspect-brk', 'server.js'] }];
  assert.deepEqual(broken({ ...FACTS, services }), ['debug-port']);
});

test('a value of an example is one that nobody can mean, or that the example file has as a secret', () => {
  const settings = {
    A: 'changeme',
    B: 'https://api.example.com/v1',
    C: 'xxx',
    D: '<your key>',
    E: 'postgres://app:changeme@db.internal/app',
    PASSWORD: 'tiger',
    PORT: '3000',
    REGION: 'eu',
    F: 'exampled',
  };
  const examples = { PASSWORD: 'tiger', PORT: '3000', REGION: 'eu' };
  assert.deepEqual(told('example-value', settings, examples), ['A', 'B', 'C', 'D', 'E', 'PASSWORD']);
});

test('a place on this machine is told for production alone, and not where the service itself listens', () => {
  const local = {
    DATABASE_URL: 'postgres://u:p@localhost:5432/x',
    REDIS_HOST: '127.0.0.1',
    'db.host': '::1',
    BROKERS: 'kafka1:9092,localhost:9092',
    DSN: 'host=localhost port=5432',
    MONGO: 'mongodb://a:1,localhost:2/x',
    HOST: '127.0.0.1',
    LISTEN_ADDRESS: '0.0.0.0',
    NAME: 'localhostess',
  };
  assert.deepEqual(told('localhost', local), [
    'DATABASE_URL',
    'REDIS_HOST',
    'db.host',
    'BROKERS',
    'DSN',
    'MONGO',
  ]);
  const facts = withSettings(local);
  assert.deepEqual(VALUE_RULES.localhost({ ...facts, policy: { ...facts.policy, target: 'test' } }), []);
});

test('what is gone back to may be lower than what runs, and what its release let through', () => {
  const manifest = { ...BUILD.manifest, version: '1.3.0', environment: 'test' };
  const facts: PolicyFacts = { ...FACTS, isRollback: true, build: { ...BUILD, manifest } };
  assert.deepEqual(broken({ ...facts, previous: { id: '11', version: '1.10.0' } }), []);
  const unsaid = { ...facts, build: { ...BUILD, manifest: null } };
  assert.ok(judgePolicy(unsaid).every(({ verdict }) => verdict === 'passed'));
  assert.deepEqual(broken({ ...facts, build: { ...BUILD, manifest: { dirty: true } } }), ['dirty-build']);
});

test('test hosts are found by pattern, wherever a host can stand', () => {
  const settings = {
    A_URL: 'https://pay.test.internal/x',
    B_HOST: 'db.staging.internal',
    C_URL: 'https://test.internal',
  };
  assert.deepEqual(told('test-host', settings), ['A_URL', 'B_HOST']);
  assert.ok(matchesHost('a.b.test.internal', '*.test.internal'));
  assert.ok(!matchesHost('contest.internal', 'test.internal'));
  assert.deepEqual(
    hostsOf({ key: 'X', value: 'amqp://u:p%40@[::1]:5672', place: '', source: '', example: null }),
    ['::1'],
  );
});

test('no rule tells a value', () => {
  const value = 'tok-5ecret';
  const settings = {
    DEBUG: value,
    A_URL: `https://${value}:${value}@localhost/${value}`,
    NODE_OPTIONS: `--inspect=${value}`,
    B_URL: `https://${value}@x.test.internal/${value}`,
    PASSWORD: value,
  };
  const found = judgePolicy(withSettings(settings, { PASSWORD: value }));
  assert.ok(found.filter(({ verdict }) => verdict === 'failed').length >= 5);
  assert.ok(!JSON.stringify(found).includes(value));
});
