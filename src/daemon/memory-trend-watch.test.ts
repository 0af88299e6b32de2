import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewEvent } from '../protocol/index.js';
import { MemoryTrendWatch } from './memory-trend-watch.js';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BEGUN = Date.parse('2026-01-01T00:00:00Z');

type Growth = Extract<NewEvent, { type: 'memory-growth' }>;

test('a leak is told once, with its pace and the end that comes first, and is over when the service starts anew', () => {
  const world = new World({ limit: 500 * MiB });
  world.run(3 * HOUR, (ms) => ({ leaks: 100 * MiB + (ms / HOUR) * 100 * MiB, steady: 300 * MiB }));
  const [told, ...more] = world.told;
  assert.deepEqual([told!.service, told!.isGrowing, told!.bound, more], ['leaks', true, 'limit', []]);
  assert.ok(Math.abs(told!.bytesPerHour - 100 * MiB) < MiB, String(told!.bytesPerHour));
  // 100 MiB and 100 more each hour: at 500 after four.
  assert.ok(Math.abs(Date.parse(told!.reachedAt!) - (BEGUN + 4 * HOUR)) < 10 * MINUTE, told!.reachedAt!);
  world.startedAt = world.now;
  world.run(MINUTE, () => ({ leaks: 100 * MiB, steady: 300 * MiB }));
  const [, over, ...rest] = world.told;
  assert.deepEqual([over!.isGrowing, over!.reachedAt, over!.bytesPerHour, rest], [false, null, 0, []]);
});

test('without a limit it is what the machine has left, and a service that is stopped grows no more', () => {
  const world = new World({ limit: null, left: 700 * MiB });
  world.run(HOUR, (ms) => ({ leaks: 100 * MiB + (ms / HOUR) * 200 * MiB }));
  assert.deepEqual(
    world.told.map(({ bound, isGrowing }) => [bound, isGrowing]),
    [['machine', true]],
  );
  world.run(MINUTE, () => ({}));
  assert.deepEqual(
    world.told.map(({ isGrowing }) => isGrowing),
    [true, false],
  );
});

test('what a former daemon has told goes on, or is over, when that is known', () => {
  const growing = new World({ limit: 500 * MiB }, ['leaks', 'stopped']);
  growing.run(2 * HOUR, (ms) => ({ leaks: 100 * MiB + (ms / HOUR) * 100 * MiB }));
  assert.deepEqual(
    growing.told.map(({ service, isGrowing }) => [service, isGrowing]),
    [
      ['stopped', false],
      ['leaks', true],
    ],
  );
  const well = new World({ limit: 500 * MiB }, ['leaks']);
  well.run(2 * HOUR, () => ({ leaks: 100 * MiB }));
  assert.deepEqual(
    well.told.map(({ isGrowing }) => isGrowing),
    [false],
  );
});

class World {
  readonly told: Growth[] = [];
  startedAt = BEGUN;
  now = BEGUN;
  readonly #watch: MemoryTrendWatch;

  constructor(
    { limit, left = 64 * GiB }: { limit: number | null; left?: number },
    toldBefore: string[] = [],
  ) {
    this.#watch = new MemoryTrendWatch(
      {
        now: () => this.now,
        limitOf: () => limit,
        memoryLeft: () => left,
        emit: (event) => this.told.push(event as Growth),
      },
      toldBefore,
    );
  }

  /** A sample every ten seconds; `rss`: by service, of the time since the beginning. */
  run(forMs: number, rss: (ms: number) => Record<string, number>): void {
    for (const end = this.now + forMs; this.now < end; this.now += 10_000) {
      const { startedAt } = this;
      const measured = Object.entries(rss(this.now - BEGUN)).map(
        ([name, rssBytes]) => [name, { startedAt, instances: 1, rssBytes }] as const,
      );
      this.#watch.note(new Map(measured));
    }
  }
}
