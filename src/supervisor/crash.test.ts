import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitError } from '../protocol/index.js';
import { Crashes } from './crash.js';
import type { AttemptExit } from './exit.js';

const FAILED: AttemptExit = { kind: 'exited', code: 1 };
const APP = 10;
const OTHER = 11;
const SAID: ExitError = { type: 'TypeError', message: 'said', at: 'a.js:1' };
const WRITTEN: ExitError = { type: 'Error', message: 'written', at: 'b.js:2' };

function ended(crashes: Crashes, exit: AttemptExit = FAILED, at = 1000): string | null {
  return crashes.whatEnded({ exit, pid: APP, at }, () => WRITTEN)?.message ?? null;
}

function crashed(pid: number, at: number, error: ExitError = SAID): Crashes {
  const crashes = new Crashes();
  crashes.onCrash(pid, JSON.stringify(error), at);
  return crashes;
}

test('what the application said of its crash is the reason, whenever that was', () => {
  assert.equal(ended(crashed(APP, 1), FAILED, 60_000), 'said');
});

test('what it survived is none', () => {
  const crashes = crashed(APP, 990);
  crashes.onSurvived(APP);
  assert.equal(ended(crashes), 'written');
});

test('who ended well or was killed has none', () => {
  for (const exit of [
    { kind: 'exited', code: 0 },
    { kind: 'signalled', signal: 9 },
    { kind: 'signalled', signal: 15 },
    { kind: 'signalled', signal: 11 },
    { kind: 'unknown', fact: 'its shim was killed' },
  ] as const)
    assert.equal(ended(crashed(APP, 990), exit), null);
  assert.equal(ended(crashed(APP, 990), { kind: 'signalled', signal: 6 }), 'said');
});

test('the crash of a child is the reason where its parent ended with it', () => {
  assert.equal(ended(crashed(OTHER, 900)), 'said');
  assert.equal(ended(crashed(OTHER, 900), FAILED, 10_000), 'written');
});

test('of an error without a place the output may name it, if it is the same', () => {
  const crashes = crashed(APP, 990, { type: 'Error', message: 'said', at: null });
  const what = crashes.whatEnded({ exit: FAILED, pid: APP, at: 1000 }, () => WRITTEN);
  assert.deepEqual(what, { type: 'Error', message: 'said', at: 'b.js:2' });
});

test('what is shown to people has no control characters, and an end', () => {
  const message = `red \u001b[31m\u009b and more\n${'x'.repeat(1000)}`;
  const what = crashed(APP, 990, { type: 'E', message, at: 'a.js:1' }).whatEnded(
    { exit: FAILED, pid: APP, at: 1000 },
    () => null,
  );
  assert.match(what!.message, /^red +\[31m +and more x+$/);
  assert.ok(what!.message.length <= 500);
});

test('words that are none are nobody’s crash', () => {
  const crashes = new Crashes();
  for (const words of ['', '{', '[]', '{"type":1}']) crashes.onCrash(APP, words, 990);
  assert.equal(ended(crashes), 'written');
});

test('a thousand processes that crash are not all remembered', () => {
  const crashes = new Crashes();
  for (let pid = 0; pid < 1000; pid++) crashes.onCrash(pid, JSON.stringify(SAID), pid * 1000);
  assert.ok(crashes.size <= 3);
});
