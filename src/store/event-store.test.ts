import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { NewEvent, UpkeepEvent } from '../protocol/index.js';
import { EventStore } from './event-store.js';

const NOON = new Date('2026-01-01T12:00:00Z');

let folder = '';
let store: EventStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upkeep-events-'));
  store = open();
});
afterEach(() => {
  store.flush();
  rmSync(folder, { recursive: true });
});

test('events are numbered and dated, and come back after a restart', () => {
  store.emit(created('api'));
  store.emit(created('web'));
  store.flush();
  const expected = [
    { seq: 1, at: NOON.toISOString(), ...created('api') },
    { seq: 2, at: NOON.toISOString(), ...created('web') },
  ];
  assert.deepEqual(store.recent(10), expected);
  assert.deepEqual(open().recent(10), expected);
});

test('the latest are answered, and none for zero', () => {
  for (const name of ['a', 'b', 'c']) store.emit(created(name));
  assert.deepEqual(names(store.recent(2)), ['b', 'c']);
  assert.deepEqual(store.recent(0), []);
});

test('numbers go on after a restart', () => {
  store.emit(created('api'));
  store.flush();
  const next = open();
  next.emit(created('web'));
  assert.equal(next.recent(1)[0]!.seq, 2);
  next.flush();
});

test('a torn line is lost alone: it is not in the way of the next event', () => {
  store.emit(created('api'));
  store.flush();
  appendFileSync(path(), '{"seq":2,"at":"20');
  const next = open();
  next.emit(created('web'));
  next.flush();
  assert.deepEqual(names(open().recent(10)), ['api', 'web']);
});

test('what is no event is passed over', () => {
  appendFileSync(path(), 'null\n7\n{"seq":1}\n\0\0\0\n');
  assert.deepEqual(open().recent(10), []);
});

test('subscribers hear that something came until they end that', () => {
  const heard: UpkeepEvent[] = [];
  const end = store.subscribe(() => heard.push(...store.since(0)));
  store.emit(created('api'));
  end();
  store.emit(created('web'));
  assert.deepEqual(names(heard), ['api']);
});

test('those after a number are answered, as far as they are remembered', () => {
  for (const name of ['a', 'b', 'c']) store.emit(created(name));
  assert.deepEqual(names(store.since(1)), ['b', 'c']);
  assert.deepEqual(names(store.since(0)), ['a', 'b', 'c']);
  assert.deepEqual(store.since(3), []);
  for (let index = 0; index < 5000; index++) store.emit(created('d'));
  assert.ok(store.since(1).length < 2000);
  assert.equal(store.since(1).at(-1)!.seq, 5003);
});

test('the file is bounded: a full one moves aside, and the history spans both', () => {
  const detail = 'x'.repeat(64 * 1024);
  for (let index = 0; index < 100; index++) {
    store.emit({ type: 'state-recovered', detail });
    store.flush();
  }
  assert.ok(existsSync(`${path()}.1`));
  assert.ok(statSync(path()).size <= 4 * 1024 * 1024);
  assert.equal(open().recent(1000).length, 100);
});

test('a disk that cannot be written ends nothing: events stay in memory', () => {
  mkdirSync(path());
  store.emit(created('api'));
  store.flush();
  assert.deepEqual(names(store.recent(10)), ['api']);
});

function open(): EventStore {
  return new EventStore(folder, () => NOON);
}

function path(): string {
  return join(folder, 'events.jsonl');
}

function created(service: string): NewEvent {
  return { type: 'service-created', service };
}

function names(events: readonly UpkeepEvent[]): (string | null)[] {
  return events.map((event) => ('service' in event ? event.service : null));
}
