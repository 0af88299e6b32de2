import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HIDDEN, redactText, showValue } from './redact.js';

const LINES = [
  'DB_PASSWORD: hunter2',
  'DB_PASSWORD: correct horse hunter2',
  "  env: { LOG: info, api_key: 'hunter2', PORT: 1 }",
  '"token": "hunter2",',
  'const clientSecret = "hunter2";',
  'OTEL_EXPORTER_OTLP_HEADERS: authorization=hunter2',
  'url: postgres://app:hunter2@db/app',
  'command: serve --token=hunter2',
  'url: https://hunter2hunter2hunter2@example.com/shop.git',
  'url: https://hunter2hunter2hunter2:x-oauth-basic@example.com/shop.git',
  'url: https://example.com/shop.tgz?private_token=hunter2',
  "{name: db, env: {PASSWD: 'hunter2'}}",
];

for (const line of LINES) {
  test(`the secret is masked in: ${line.replaceAll('hunter2', '…')}`, () => {
    assert.doesNotMatch(redactText(line), /hunter2/);
    assert.ok(redactText(line).includes(HIDDEN));
  });
}

test('what is no secret stays as it is', () => {
  for (const line of [
    'PORT: 3000',
    'url: http://localhost:3000/x@y',
    'url: https://a-name-that-is-rather-long.example.com:3000/',
    'url: ssh://git@example.com/shop.git',
    'secrets: { TOKEN: { file: ./token } }',
  ]) {
    assert.equal(redactText(line), line);
  }
});

test('a value is hidden by the name of its place', () => {
  assert.equal(showValue('hunter2', ['env', 'DB_PASSWORD']), HIDDEN);
  assert.equal(showValue('two', ['services', 'api', 'instances']), '"two"');
});

test('a long value is cut', () => {
  assert.ok(showValue('x'.repeat(500)).length <= 80);
});

test('a value that is one long word is read in one go', () => {
  const word = 'x'.repeat(1_000_000); // where each letter is tried as a beginning, this takes an hour
  assert.equal(redactText(`CERTIFICATE: ${word}`), `CERTIFICATE: ${word}`);
});
