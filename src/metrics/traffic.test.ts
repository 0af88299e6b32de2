import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Traffic } from '../protocol/index.js';
import { BUCKETS, lowerBound } from './histogram.js';
import { NO_PROBES, type Sample } from './sample.js';
import { writeThrough } from './samples.js';
import { readAnswers } from './traffic.js';

const START = 1_767_225_600; // a full hour
const HOUR = 3600;

function sampleAt(at: number, counts: Readonly<Record<number, number>>, errors = 0): Sample {
  const latency = Array.from({ length: BUCKETS }, (_, index) => counts[index] ?? 0);
  const requests = latency.reduce((sum, count) => sum + count, 0);
  const rest = { cpuPercent: 1, rssBytes: 1, heapBytes: 1, loopMaxMs: 1, probes: NO_PROBES };
  return { at, seconds: 10, ...rest, requests, errors, latency };
}

function trafficOf(...asked: Parameters<typeof readAnswers>): Traffic | null {
  return readAnswers(...asked).traffic;
}

function inFolder(step: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-traffic-'));
  try {
    step(join(folder, 'api'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Each with the daemon that wrote the one before, or another one that has begun just now. */
function write(path: string, samples: readonly Sample[], isNewDaemon: (index: number) => boolean): void {
  samples.forEach((sample, index) => {
    const lastAt = isNewDaemon(index) ? sample.at : samples[index - 1]!.at;
    writeThrough(path, sample, lastAt);
  });
}

test('every request is counted once, whatever has been rolled up and whichever daemon did not live to do it', () => {
  const steps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 30 }), isNew: fc.boolean() }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, fc.constantFrom(HOUR, 24 * HOUR, 30 * 24 * HOUR), (taken, ago) => {
      inFolder((path) => {
        let slot = 0;
        const samples = taken.map(({ gap }) => sampleAt(START + 10 * (slot += gap), { 5: 2, 20: 1 }, 1));
        write(path, samples, (index) => index === 0 || taken[index]!.isNew);
        const to = samples.at(-1)!.at + 10;
        const begin = Math.min(START, to - ago + 60);
        const within = samples.filter(({ at }) => at >= begin);
        const traffic = trafficOf(path, { from: begin, to }, to)!;
        assert.equal(traffic.requests, 3 * within.length);
        assert.equal(traffic.errors, within.length);
      });
    }),
    { numRuns: 40 },
  );
});

test('the slowest minutes are named with their p95, the slowest first, and each with its bounds', () => {
  inFolder((path) => {
    const samples = [
      sampleAt(START, { 10: 100 }),
      sampleAt(START + 60, { 10: 1, 30: 99 }, 4),
      sampleAt(START + 70, { 30: 100 }),
      sampleAt(START + 120, { 20: 10 }),
    ];
    write(path, samples, (index) => index === 0);
    const traffic = trafficOf(path, { from: START, to: START + 180 }, START + 180)!;
    assert.equal(traffic.slotSeconds, 60);
    assert.deepEqual(
      traffic.slowest.map(({ at, requests, errors }) => [Date.parse(at) / 1000 - START, requests, errors]),
      [
        [60, 200, 4],
        [120, 10, 0],
        [0, 100, 0],
      ],
    );
    const { p95 } = traffic.slowest[0]!;
    assert.deepEqual([p95.fromMs, p95.toMs], [lowerBound(30), lowerBound(31)]);
    assert.ok(p95.ms >= p95.fromMs && p95.ms <= p95.toMs!);
    assert.equal(traffic.errorShare, 4 / 310);
    assert.ok(traffic.p50!.ms < traffic.p99!.ms);
  });
});

test('of a week hours are named; the one that goes on is in it', () => {
  inFolder((path) => {
    const samples = [0, 1, 2].flatMap((hour) => [
      sampleAt(START + hour * HOUR, { 10: 10 }),
      sampleAt(START + hour * HOUR + 1800, { [12 + hour]: 10 }),
    ]);
    write(path, samples, (index) => index === 0);
    const to = START + 2 * HOUR + 1810;
    const traffic = trafficOf(path, { from: to - 7 * 24 * HOUR, to }, to)!;
    assert.equal(traffic.slotSeconds, HOUR);
    assert.equal(traffic.requests, 60);
    assert.deepEqual(
      traffic.slowest.map(({ at }) => (Date.parse(at) / 1000 - START) / HOUR),
      [2, 1, 0],
    );
  });
});

test('where nothing was answered there is no traffic, and above the last bound there is none', () => {
  inFolder((path) => {
    assert.equal(trafficOf(path, { from: START, to: START + 60 }, START + 60), null);
    write(path, [sampleAt(START, {})], () => true);
    assert.equal(trafficOf(path, { from: START, to: START + 60 }, START + 60), null);
    write(path, [sampleAt(START, { [BUCKETS - 1]: 1 })], () => true);
    assert.equal(trafficOf(path, { from: START, to: START + 60 }, START + 60)!.p95!.toMs, null);
  });
});
