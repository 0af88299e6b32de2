import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { homeFrom } from './home.js';

test('the home is ~/.upkeep unless UPKEEP_HOME names another', () => {
  assert.equal(homeFrom({}).path, join(homedir(), '.upkeep'));
  assert.equal(homeFrom({ UPKEEP_HOME: '' }).path, join(homedir(), '.upkeep'));
  assert.equal(homeFrom({ UPKEEP_HOME: '/srv/upkeep/' }).socket, '/srv/upkeep/daemon.sock');
});

test('a home whose socket path is too long for the system is refused with both lengths', () => {
  const path = `/tmp/${'ü'.repeat(60)}`;
  assert.throws(() => homeFrom({ UPKEEP_HOME: path }), {
    code: 'usage',
    message: /its socket path has 137 bytes, the system allows 10[37]$/,
  });
});
