import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from './version.js';

/** In the order of semver.org. */
const ORDERED = [
  '0.9.12',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  'v1.0.0',
  '1.0.1',
  '1.10.0',
  '2.0.0',
];

test('versions have the order of semver', () => {
  for (const [at, one] of ORDERED.entries())
    for (const [other, two] of ORDERED.entries())
      assert.equal(Math.sign(compareVersions(one, two)!), Math.sign(at - other), `${one} ${two}`);
});

test('a build changes nothing, and what is no version has no order', () => {
  assert.equal(compareVersions('1.2.3+5', 'v1.2.3+6'), 0);
  for (const none of ['1.2', 'main', '', '1.2.3.4']) assert.equal(compareVersions(none, '1.2.3'), undefined);
});
