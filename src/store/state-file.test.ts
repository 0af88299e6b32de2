import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import {
  DEFAULT_EVENT_LOOP,
  DEFAULT_HEALTH,
  DEFAULT_LOGS,
  type LogSpec,
  type UpkeepError,
} from '../protocol/index.js';
import { encodeState, readState, STATE_FORMAT, StateFile } from './state-file.js';

const EMPTY = { services: [] };
const folder = mkdtempSync(join(tmpdir(), 'upkeep-state-'));
const place = (name: string): string => join(folder, name);

beforeEach(() => {
  for (const name of ['state.json', 'state.json.new', 'state.json.previous'])
    rmSync(place(name), { force: true });
});
after(() => rmSync(folder, { recursive: true }));

test('a new home has an empty state and nothing to say about it', () => {
  assert.deepEqual(new StateFile(folder).load(), { state: EMPTY, notes: [], foreign: [] });
});

test('a saved state is loaded again, and its predecessor is kept', async () => {
  const file = new StateFile(folder);
  await file.save(EMPTY);
  await file.save(EMPTY);
  assert.deepEqual(new StateFile(folder).load(), { state: EMPTY, notes: [], foreign: [] });
  assert.equal(seqOf('state.json'), 2);
  assert.equal(seqOf('state.json.previous'), 1);
  assert.equal(existsSync(place('state.json.new')), false);
});

test('saves during a write share the next one', async () => {
  const file = new StateFile(folder);
  await Promise.all(Array.from({ length: 20 }, () => file.save(EMPTY)));
  assert.equal(seqOf('state.json'), 2);
});

test('numbers go on where the loaded state ended', async () => {
  put('state.json', 41);
  const file = new StateFile(folder);
  file.load();
  await file.save(EMPTY);
  assert.equal(seqOf('state.json'), 42);
});

test('a save that fails rejects, and the next one succeeds', async () => {
  const file = new StateFile(folder);
  mkdirSync(place('state.json.new'));
  await assert.rejects(file.save(EMPTY), { code: 'EISDIR' });
  rmdirSync(place('state.json.new'));
  await file.save(EMPTY);
  assert.deepEqual(new StateFile(folder).load(), { state: EMPTY, notes: [], foreign: [] });
});

test('a torn file is passed over for the previous state, in words', () => {
  put('state.json.previous', 7);
  writeFileSync(place('state.json'), encodeState(8, JSON.stringify(EMPTY)).slice(0, -5));
  assert.deepEqual(new StateFile(folder).load().notes, [
    'state.json is not usable (its checksum does not match)',
    'loaded state.json.previous, the newest complete state (number 7)',
  ]);
});

test('a complete new file that was not renamed is loaded and takes its place', () => {
  put('state.json', 7);
  put('state.json.new', 8);
  const { notes } = new StateFile(folder).load();
  assert.deepEqual(notes, ['loaded state.json.new, the newest complete state (number 8)']);
  assert.equal(seqOf('state.json'), 8);
  assert.equal(seqOf('state.json.previous'), 7);
});

test('a broken file does not take the place of the previous state', () => {
  writeFileSync(place('state.json'), '');
  put('state.json.previous', 6);
  put('state.json.new', 8);
  new StateFile(folder).load();
  assert.equal(seqOf('state.json'), 8);
  assert.equal(seqOf('state.json.previous'), 6);
});

test('a flipped bit in the number of a state does not make it the newest', () => {
  put('state.json', 8);
  const forged = encodeState(7, JSON.stringify(EMPTY)).replace('"seq":7', '"seq":9');
  writeFileSync(place('state.json.previous'), forged);
  assert.match(new StateFile(folder).load().notes.join(), /loaded state\.json, .*\(number 8\)/);
});

test('a state of a newer format is refused', () => {
  put('state.json', 8, STATE_FORMAT + 1);
  put('state.json.previous', 7);
  assert.throws(
    () => new StateFile(folder).load(),
    (error: UpkeepError) =>
      error.code === 'unsupported' && /format 2, this version knows 1/.test(error.message),
  );
});

test('an older state of a newer format does no harm: somebody has gone back already', () => {
  put('state.json', 8);
  put('state.json.previous', 7, STATE_FORMAT + 1);
  assert.deepEqual(new StateFile(folder).load(), { state: EMPTY, notes: [], foreign: [] });
});

test('where nothing is usable it starts without services, and says so', () => {
  writeFileSync(place('state.json'), '\0'.repeat(4096));
  assert.deepEqual(new StateFile(folder).load(), {
    state: EMPTY,
    notes: [
      'state.json is not usable (its header is incomplete)',
      'no complete state was found: starting without services',
    ],
    foreign: [],
  });
});

interface Body {
  readonly services: {
    spec: {
      stop: object;
      reload: object;
      logs?: LogSpec;
      release?: null;
      health: object | null;
      eventLoop?: object;
      alerts?: object[];
    };
  }[];
}

/** With what is filled in where an older version did not know it. */
function completed(body: Body): Body {
  for (const { spec } of body.services) {
    spec.logs ??= DEFAULT_LOGS;
    spec.release ??= null;
    spec.alerts ??= [];
    spec.eventLoop ??= DEFAULT_EVENT_LOOP;
    if (spec.health) spec.health = { ...DEFAULT_HEALTH, ...spec.health };
  }
  return body;
}

test('every format that was ever released is read, as it was written', () => {
  for (let format = 1; format <= STATE_FORMAT; format++) {
    const text = readFileSync(`test/fixtures/formats/state-${format}`, 'utf8');
    writeFileSync(place('state.json'), text);
    const { state, notes, foreign } = new StateFile(folder).load();
    assert.deepEqual([notes, foreign], [[], []]);
    if (format === STATE_FORMAT) assert.deepEqual(state, completed(JSON.parse(text.split('\n')[1]!) as Body));
  }
});

test('what the next version has added within the same format is left out, and told', () => {
  const [, body = ''] = readFileSync('test/fixtures/formats/state-1', 'utf8').split('\n');
  const known = completed(JSON.parse(body) as Body);
  const newer = structuredClone(known);
  Object.assign(newer.services[0]!.spec, { color: 'green' });
  Object.assign(newer.services[0]!.spec.stop, { politely: true, twice: { or: 'thrice' } });
  writeFileSync(place('state.json'), encodeState(8, JSON.stringify(newer)));

  const { state, foreign } = new StateFile(folder).load();

  assert.deepEqual(state, known);
  assert.deepEqual([...foreign].sort(), [
    'services.0.spec.color',
    'services.0.spec.stop.politely',
    'services.0.spec.stop.twice',
  ]);
});

test('a value that means nothing to this version is refused, and nothing is touched', () => {
  const [, body = ''] = readFileSync('test/fixtures/formats/state-1', 'utf8').split('\n');
  writeFileSync(place('state.json.new'), encodeState(8, body.replace('"on":"start"', '"on":"magic"')));
  for (const read of [() => new StateFile(folder).load(), () => readState(folder)]) {
    assert.throws(
      read,
      (error: UpkeepError) =>
        error.code === 'unsupported' && /Cannot read .*state\.json\.new: /.test(error.message),
    );
    assert.ok(!existsSync(place('state.json')));
  }
});

test('a closed file is not written any more', async () => {
  const file = new StateFile(folder);
  await file.save(EMPTY);
  file.close();
  void file.save(EMPTY);
  await new StateFile(folder).save(EMPTY);
  assert.equal(seqOf('state.json'), 1);
});

function put(name: string, seq: number, format?: number): void {
  writeFileSync(place(name), encodeState(seq, JSON.stringify(EMPTY), format));
}

function seqOf(name: string): number {
  return (JSON.parse(readFileSync(place(name), 'utf8').split('\n')[0]!) as { seq: number }).seq;
}
