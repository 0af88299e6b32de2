import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { OomCounters } from './oom-counters.js';

const START = Date.parse('2026-01-01T00:00:00Z');

function open(context: TestContext): { counters: OomCounters; count(kills: number): void; group: Group } {
  context.mock.timers.enable({ apis: ['Date', 'setInterval'], now: START });
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-oom-'));
  const counter = join(folder, 'memory.events');
  const count = (kills: number): void =>
    writeFileSync(counter, `oom 9\noom_kill ${kills}\noom_group_kill 0\n`);
  const counters = new OomCounters();
  context.after(() => (counters.end(), rmSync(folder, { recursive: true })));
  count(3);
  return { counters, count, group: { path: '/a', counter, kills: 3, limitBytes: null } };
}
type Group = Parameters<OomCounters['watch']>[0];

test('only what the group has lost shortly before an end counts', (context) => {
  const { counters, count, group } = open(context);
  counters.watch(group);
  count(4);
  assert.equal(counters.killsBefore(group, START + 50), 1);
  for (let passed = 0; passed < 3_600_000; passed += 10_000) context.mock.timers.tick(10_000);
  assert.equal(counters.killsBefore(group, START + 3_600_000), 0, 'that was an hour ago');
  count(5);
  assert.equal(counters.killsBefore(group, START + 3_600_000), 1);
});

test('one that was read just after the end it counts still explains it', (context) => {
  const { counters, count, group } = open(context);
  counters.watch(group);
  context.mock.timers.tick(10_000);
  count(4);
  context.mock.timers.tick(10_000);
  assert.equal(counters.killsBefore(group, START + 19_990), 1);
});

test('what explains one end explains no other', (context) => {
  const { counters, count, group } = open(context);
  counters.watch(group);
  count(5);
  for (const left of [2, 1]) {
    assert.equal(counters.killsBefore(group, START + 50), left, 'two were killed at once');
    counters.spend(group, START + 50);
  }
  assert.equal(counters.killsBefore(group, START + 50), 0);
  count(1);
  const other = { ...group, kills: 0 };
  assert.equal(counters.killsBefore(other, START + 50), 1, 'it was made anew');
});
