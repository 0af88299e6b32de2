/** The state, the journal and the history cut by a power failure at every byte: the newest complete state is found. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EventStore, Journal, STATE_FORMAT, StateFile } from '../../src/store/index.js';
import { Rig } from '../../test/rig/index.js';
import {
  bytesOf,
  cutWrites,
  disorder,
  flippedBits,
  NAMES,
  stateNumber,
  type Case,
} from './power-cuts/cases.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const stride = Math.max(1, Math.round(1 / scale));
const DAEMONS = Math.max(2, Math.round(20 * scale));
/** A save costs a sync: not every case is written on. */
const SAVED = 25;

const startedAt = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'upkeep-power-'));
try {
  const cases = [...cutWrites(stride), ...disorder(stride), ...flippedBits(stride)];
  for (const [index, each] of cases.entries())
    await told(each, () => provePowerCut(each, index % SAVED === 0));
  const cuts = (await proveJournal()) + proveEvents();
  for (const each of spread(cases, DAEMONS)) await told(each, () => proveDaemon(each));
  await proveNewerFormat();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `${cases.length} power cuts of the state: the newest complete one was loaded each time, and said so`,
  );
  console.log(`${cuts} power cuts of journal and history: nothing was lost but the torn line`);
  console.log(
    `${DAEMONS} daemons started on what was left of a home, one refused a newer format; ${seconds} s`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

async function told(each: Case, prove: () => Promise<void>): Promise<void> {
  try {
    await prove();
  } catch (cause) {
    throw new Error(`Power cut, ${each.title}: expected state ${each.expected}`, { cause });
  }
}

async function provePowerCut({ files, expected, isNormal }: Case, isSaved: boolean): Promise<void> {
  layOut(folder, files);
  const file = new StateFile(folder);
  const { state, notes } = file.load();
  const wanted = expected === 0 ? { services: [] } : stateNumber(expected);
  assert.deepEqual(state, wanted);
  assert.equal(notes.length === 0, isNormal, `notes: ${notes.join('; ')}`);
  // Whatever loading did to the files, who loads again finds the same.
  assert.deepEqual(new StateFile(folder).load().state, wanted);
  if (!isSaved) return;
  await file.save(stateNumber(9));
  assert.deepEqual(new StateFile(folder).load().state, stateNumber(9));
}

/** Answers how many cuts there were. */
async function proveJournal(): Promise<number> {
  const path = join(folder, 'operations.jsonl');
  const written = ['accepted', 'ended', 'accepted'].map((type, id) => ({ type, id, words: 'grüß dich' }));
  const bytes = Buffer.from(written.map((line) => `${JSON.stringify(line)}\n`).join(''));
  for (let length = 0; length <= bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    const journal = new Journal(path);
    const found: unknown[] = journal.read(() => found);
    const complete = written.slice(0, completeLines(bytes, length));
    assert.deepEqual(found, complete, `journal cut at ${length}`);
    await journal.append({ type: 'next' });
    await journal.close();
    const next = new Journal(path).read(() => []);
    assert.deepEqual(next, [...complete, { type: 'next' }], `journal cut at ${length}, then appended to`);
  }
  return bytes.length + 1;
}

function proveEvents(): number {
  const at = '2026-01-01T00:00:00.000Z';
  const written = [1, 2, 3].map((seq) => ({ seq, at, type: 'service-created', service: `s${seq}` }) as const);
  const bytes = Buffer.from(written.map((event) => `${JSON.stringify(event)}\n`).join(''));
  for (let length = 0; length <= bytes.length; length++) {
    writeFileSync(join(folder, 'events.jsonl'), bytes.subarray(0, length));
    const store = new EventStore(folder, () => new Date(at));
    const complete = written.slice(0, completeLines(bytes, length));
    assert.deepEqual(store.recent(10), complete, `history cut at ${length}`);
    store.emit({ type: 'service-deleted', service: 'next' });
    store.flush();
    const next = { seq: complete.length + 1, at, type: 'service-deleted', service: 'next' };
    const again = new EventStore(folder, () => new Date(at));
    assert.deepEqual(again.recent(10), [...complete, next], `history cut at ${length}, then written on`);
  }
  return bytes.length + 1;
}

/** A line that lacks nothing but its end is complete. */
function completeLines(bytes: Buffer, length: number): number {
  const ends = bytes.subarray(0, length).filter((byte) => byte === 0x0a).length;
  return bytes[length] === 0x0a ? ends + 1 : ends;
}

async function proveDaemon({ files, expected, isNormal }: Case): Promise<void> {
  await using rig = await Rig.create({ hasDaemon: false });
  mkdirSync(rig.home.path);
  layOut(rig.home.path, files);
  // The other files of the home were cut by the same power failure.
  writeFileSync(join(rig.home.path, 'operations.jsonl'), '{"type":"accepted","request":{"kind":"st');
  writeFileSync(join(rig.home.path, 'events.jsonl'), '\0\0\0\0{"seq":');
  await rig.startDaemon();
  const services = await rig.client.call('services');
  assert.deepEqual(
    services.map(({ name, instances }) => [name, instances.length]),
    expected === 0 ? [] : [['api', expected]],
  );
  const recovered = (await rig.events()).filter(({ type }) => type === 'state-recovered');
  assert.equal(recovered.length === 0, isNormal);
}

async function proveNewerFormat(): Promise<void> {
  await using rig = await Rig.create({ hasDaemon: false });
  mkdirSync(rig.home.path);
  layOut(rig.home.path, { 'state.json': bytesOf(3, STATE_FORMAT + 1), 'state.json.previous': bytesOf(2) });
  const { code, stderr } = await rig.cli('daemon', 'start');
  assert.notEqual(code, 0);
  assert.match(stderr, /format 2, this version knows 1/);
}

function layOut(home: string, files: Case['files']): void {
  for (const name of NAMES) {
    const bytes = files[name];
    if (bytes) writeFileSync(join(home, name), bytes);
    else rmSync(join(home, name), { force: true });
  }
}

function spread<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)]!);
}
