import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENDED_BY_LOOK } from '../../core/index.js';
import { endedByLook, type LookedAtEnd } from './interruption.js';

const seen = { state: 'S', waitsIn: null, openFiles: 20, rssBytes: 1 };
const LOOK = { pid: 7, at: 100_000, seen };
const error = { type: 'Error', message: 'EINTR: interrupted system call, read', at: 'app.js:3' };
const END: LookedAtEnd = { exit: { kind: 'exited', code: 1 }, at: 100_040, error, lastLines: [] };

test('an EINTR right after the signal of a look is put down to the look', () => {
  const evidence = endedByLook(LOOK, END);
  assert.deepEqual([evidence?.pid, evidence?.answers, evidence?.missing], [7, false, ENDED_BY_LOOK]);
  assert.ok(
    endedByLook(LOOK, { ...END, error: null, lastLines: ["  code: 'EINTR',"] }),
    'it is only printed',
  );
  assert.ok(endedByLook(LOOK, { ...END, error: null, exit: { kind: 'signalled', signal: 10 } }), 'SIGUSR1');
});

test('what else ends meanwhile, or much later, or before, is not', () => {
  const others: Partial<LookedAtEnd>[] = [
    { at: 106_000 },
    { at: 99_000 },
    { error: { ...error, message: 'read ECONNRESET' } },
    { exit: { kind: 'exited', code: 0 } },
    { exit: { kind: 'signalled', signal: 9 } },
    { exit: { kind: 'unknown', fact: 'nobody saw it' } },
  ];
  for (const other of others) assert.equal(endedByLook(LOOK, { ...END, ...other }), undefined);
  assert.equal(endedByLook(undefined, END), undefined, 'nobody looked');
});
