import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PREFLIGHT_RULES } from '../../protocol/index.js';
import { toChecks, type Finding } from './finding.js';

const FOUND: Finding = {
  area: 'policy',
  rule: 'debug-port',
  verdict: 'failed',
  text: 'It is open',
  hint: 'close it',
};
const TODAY = '2026-11-29';
const waiver = (until: string | null, rule = 'debug-port') => ({
  rule,
  reason: 'a fault is looked for',
  until,
});

test('a waiver holds to the end of its day, and its reason is told', () => {
  const [check] = toChecks([FOUND], [waiver(TODAY)], TODAY);
  assert.deepEqual(check, {
    stage: 'preflight',
    name: 'policy: debug-port',
    verdict: 'waived',
    text: 'It is open; waived: a fault is looked for (until 2026-11-29)',
    waiver: waiver(TODAY),
  });
  assert.equal(toChecks([FOUND], [waiver(null, 'policy: debug-port')], TODAY)[0]?.verdict, 'waived');
});

test('a waiver that has expired does not hold, and says so', () => {
  const [check] = toChecks([FOUND], [waiver('2026-11-28')], TODAY);
  assert.equal(check?.verdict, 'failed');
  assert.match(check?.text ?? '', /its waiver \(a fault is looked for\) ended with 2026-11-28$/);
  assert.equal(check?.hint, 'close it; or write a later day to the waiver');
});

test('a waiver covers no other rule, and nothing where there is nothing to waive', () => {
  const checks = toChecks(
    [FOUND, { ...FOUND, rule: 'commit', verdict: 'passed' }],
    [waiver(null, 'commit')],
    TODAY,
  );
  assert.deepEqual(
    checks.map(({ verdict }) => verdict),
    ['failed', 'passed'],
  );
});

test('a waiver that names no rule is told, with what it may have meant', () => {
  const [, check] = toChecks([FOUND], [waiver(null, 'debug-prot')], TODAY);
  assert.deepEqual([check?.verdict, check?.hint], ['warned', 'did you mean debug-port?']);
  assert.equal(toChecks([], [waiver(null, 'port')], TODAY).length, 0);
});

test('each check has a name of its own', () => {
  const names = toChecks([FOUND, FOUND, { ...FOUND, subject: 'api' }], [], TODAY).map(({ name }) => name);
  assert.deepEqual(names, ['policy: debug-port', 'policy: debug-port (2)', 'policy: debug-port api']);
});

test('every rule that may be waived is one that something here finds', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  const code = files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
    .join('\n');
  assert.deepEqual(
    PREFLIGHT_RULES.filter((rule) => !code.includes(`'${rule}'`)),
    [],
  );
});
