import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExample } from './env-example.js';

function demands(text: string): Record<string, boolean> {
  return Object.fromEntries(parseExample(text).map(({ key, isRequired }) => [key, isRequired]));
}

test('a key is required where its value can be no default', () => {
  const text = `
PORT=3000
LOG_LEVEL=info
EMPTY=
export QUOTED=""
PASSWORD=secret
URL=postgres://app:app@localhost/app
MAIL=ops@example.com
NAME=changeme
SESSION_TTL=3600
`;
  assert.deepEqual(demands(text), {
    PORT: false,
    LOG_LEVEL: false,
    EMPTY: true,
    QUOTED: true,
    PASSWORD: true,
    URL: true,
    MAIL: true,
    NAME: true,
    SESSION_TTL: false,
  });
});

test('comments decide otherwise, on the line or right above it', () => {
  const text = `
# Where mail goes. Optional.
MAIL_URL=
CACHE_URL= # optional
# required in production
REGION=eu
# optional, but not for this one

OTHER=
# FEATURE=on
`;
  assert.deepEqual(demands(text), {
    MAIL_URL: false,
    CACHE_URL: false,
    REGION: true,
    OTHER: true,
    FEATURE: false,
  });
});

test('what stands within a value of several lines is no key', () => {
  assert.deepEqual(demands('TEXT="begin\nA=\nend"\nB=\n'), { TEXT: false, B: true });
});
