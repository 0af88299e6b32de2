import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Listening } from './channel.js';
import { Speakers } from './speakers.js';

const MASTER = 1;

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'upkeep-speakers-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('workers that are gone are forgotten with their sockets, however many there were', () => {
  let newest = 0;
  const speakers = new Speakers(folder, (pid) => pid !== MASTER && pid !== newest);
  const enter = (pid: number): void => {
    newest = pid;
    for (const name of [`${pid}`, `${pid}.3000`]) writeFileSync(join(folder, name), '');
    speakers.addControl(pid);
    speakers.addListening(listening({ pid }));
  };
  for (let pid = MASTER; pid <= 2000; pid++) enter(pid);
  assert.ok(speakers.controls.length < 300 && speakers.listening.length < 300);
  assert.ok(readdirSync(folder).length < 600);
  for (const pid of [MASTER, 2000]) {
    assert.ok(speakers.controls.includes(pid));
    assert.ok(speakers.listening.some((each) => each.pid === pid));
    assert.ok(readdirSync(folder).includes(`${pid}.3000`));
  }
});

test('a port that is opened again and again is known once, as it was opened last', () => {
  const speakers = new Speakers(folder, () => false);
  for (let fd = 10; fd < 20; fd++) speakers.addListening(listening({ fd }));
  assert.deepEqual(speakers.listening, [listening({ fd: 19 })]);
});

test('of ports left to chance the latest are known; of others, all', () => {
  const speakers = new Speakers(folder, () => false);
  speakers.addListening(listening({ port: 80 }));
  for (let port = 10_000; port < 12_000; port++) speakers.addListening(listening({ port, how: 'free' }));
  assert.ok(speakers.listening.length < 300);
  assert.equal(speakers.listening[0]!.port, 80);
  assert.equal(speakers.listening.at(-1)!.port, 11_999);
  for (let port = 20_000; port < 21_000; port++) speakers.addListening(listening({ port }));
  const own = speakers.listening.filter(({ how }) => how === 'own');
  assert.equal(own.length, 1001);
});

function listening(some: Partial<Listening>): Listening {
  return { pid: MASTER, fd: 10, address: '0.0.0.0', port: 3000, how: 'own', ...some };
}
