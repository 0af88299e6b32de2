import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarizeEvidence } from './evidence.js';

const NOTHING = {
  answers: null,
  frames: [],
  resources: null,
  state: 'S',
  waitsIn: null,
  openFiles: null,
  rssBytes: null,
  missing: null,
};
const frame = (name: string, file: string) => ({ name, file, line: 12, column: 3 });

test('a hang is told by the innermost frame of the application', () => {
  const frames = [
    frame('parse', 'node:internal/url'),
    frame('walk', '/srv/node_modules/walk/i.js'),
    frame('spin', '/srv/app.js'),
  ];
  assert.equal(summarizeEvidence({ ...NOTHING, frames }), 'runs in spin (app.js:12)');
  assert.equal(
    summarizeEvidence({ ...NOTHING, frames: frames.slice(0, 1) }),
    'runs in parse (node:internal/url:12)'.replace('node:internal/', ''),
  );
});

test('a loop that answers is told by what it waits for', () => {
  const resources = { GetAddrInfoReqWrap: 4, TCPServerWrap: 1, TCPSocketWrap: 9 };
  assert.equal(
    summarizeEvidence({ ...NOTHING, answers: true, resources }),
    'its event loop answers, and waits for 9 × a TCP connection, 4 × a DNS look-up',
  );
  assert.equal(summarizeEvidence({ ...NOTHING, answers: true }), 'its event loop answers');
});

test('of a process that cannot be asked the kernel tells', () => {
  assert.equal(
    summarizeEvidence({ ...NOTHING, answers: false, waitsIn: 'futex_wait' }),
    'waits in futex_wait of the kernel',
  );
  assert.equal(summarizeEvidence({ ...NOTHING, state: 'D' }), 'is in state D');
  assert.equal(summarizeEvidence({ ...NOTHING, state: null }), 'it has ended');
});
