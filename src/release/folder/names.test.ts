import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseName, releaseNumber } from './names.js';

test('a release is named by number, version and commit, and each of the last two may be missing', () => {
  assert.equal(releaseName('12', '2.4.1', '4f9c2aa51b0e'), '12-2.4.1-4f9c2aa');
  assert.equal(releaseName('12', null, '4f9c2aa51b0e'), '12-4f9c2aa');
  assert.equal(releaseName('12', null, null), '12');
});

test('no version of a build makes a name that leads elsewhere or means something to a shell', () => {
  for (const version of ['../../etc', '1 ; rm -rf $HOME', '/', '\n', 'v1\u202e', '-rf', 'x'.repeat(300)]) {
    const name = releaseName('7', version, null);
    assert.match(name, /^7(?:-[\w.+-]{1,40})?$/);
    assert.equal(releaseNumber(name), 7);
  }
});

test('names without a number are no releases', () => {
  for (const name of ['current', 'shared', '.staging-1', '12a', '-1'])
    assert.equal(releaseNumber(name), undefined);
});
