import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { add, BUCKETS, highest, lowerBound, quantile } from './histogram.js';
import { PACES, RingFile } from './ring-file.js';
import { decode, encode, merge, NO_PROBES, SAMPLE_BYTES, type Sample } from './sample.js';
import { Samples, writeThrough } from './samples.js';

const START = 1_767_225_600; // a full hour
const counts = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: BUCKETS, maxLength: BUCKETS });

test('a sample comes back from disk as it was, and a torn one not at all', () => {
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: SAMPLE_BYTES - 1 }), (latency, cut) => {
      const sample = { ...sampleAt(START), latency };
      const bytes = encode(sample);
      assert.deepEqual(decode(bytes), sample);
      bytes.fill(0xa5, cut);
      assert.equal(decode(bytes), undefined);
    }),
  );
});

test('samples of each format are read, side by side in one file, and the first one has no probes', () => {
  const [old, present] = [1, 2].map((format) => readFileSync(`test/fixtures/formats/sample-${format}`));
  const latency = Array.from({ length: BUCKETS }, (_, index) => (index === 7 ? 7 : 0));
  const sample = { ...sampleAt(START), seconds: 3600, heapBytes: 5e8, latency };
  assert.deepEqual(decode(old!), { ...sample, rssBytes: 123_456_789, probes: NO_PROBES });
  const probes = { count: 9, meanMs: 2.5, maxMs: 80 };
  assert.deepEqual(decode(present!), { ...sample, heapBytes: 2 ** 29, probes });
  assert.deepEqual(encode({ ...sample, heapBytes: 2 ** 29, probes }), present);
  inFolder((path) => {
    const ring = new RingFile(path, PACES[0]);
    ring.write(sampleAt(START + 10));
    const fd = openSync(ring.path, 'r+');
    writeSync(fd, old!, 0, SAMPLE_BYTES, (Math.floor(START / 10) % PACES[0].slots) * SAMPLE_BYTES);
    closeSync(fd);
    assert.deepEqual(
      ring.read(START, START + 20).map(({ at, rssBytes }) => [at, rssBytes]),
      [
        [START, 123_456_789],
        [START + 10, 2 ** 30],
      ],
    );
  });
});

test('probes of a longer time have the mean of all and the highest', () => {
  const one = { ...sampleAt(START), probes: { count: 1, meanMs: 10, maxMs: 10 } };
  const two = { ...sampleAt(START + 10), probes: { count: 3, meanMs: 2, maxMs: 4 } };
  const none = { ...sampleAt(START + 20), probes: NO_PROBES };
  assert.deepEqual(merge(START, [one, two, none])!.probes, { count: 4, meanMs: 4, maxMs: 10 });
  assert.deepEqual(merge(START, [none])!.probes, NO_PROBES);
});

test('a quantile lies within the bucket of the value that has its rank', () => {
  fc.assert(
    fc.property(counts, fc.double({ min: 0.01, max: 1, noNaN: true }), (latency, share) => {
      const value = quantile(latency, share);
      const total = latency.reduce((sum, count) => sum + count, 0);
      if (total === 0) return assert.equal(value, null);
      let [before, index] = [0, 0];
      while (before + latency[index]! < share * total) before += latency[index++]!;
      assert.ok(value! >= lowerBound(index) && value! <= lowerBound(index + 1));
      assert.ok(value! <= highest(latency)!);
    }),
  );
});

test('a service whose samples cannot be written takes nothing from the others', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const home = mkdtempSync(join(tmpdir(), 'upkeep-samples-'));
  t.after(() => rmSync(home, { recursive: true }));
  mkdirSync(join(home, 'history', 'bad.10s'), { recursive: true });
  const measurement = { ...sampleAt(START), requests: 3, durationMs: 6 };
  let told = 0;
  let resolveTold = (): void => undefined;
  const isTold = new Promise<void>((resolve) => (resolveTold = resolve));
  const samples = new Samples({
    home,
    wall: () => new Date(START * 1000),
    measure: () => Promise.resolve(new Map(['bad', 'worse', 'good'].map((name) => [name, measurement]))),
    onInternalError: () => {
      told++;
      resolveTold();
    },
  });
  samples.begin();
  t.mock.timers.tick(10_000);
  await isTold;
  samples.end();
  for (const name of ['bad', 'good']) assert.equal(samples.total(name).requests, 3, name);
  assert.equal(samples.recent('good').length, 1);
  assert.equal(samples.read('good', START, START + 10).length, 1);
  assert.equal(told, 1);
});

test('the hour of a service that came to rest, or whose daemon did, is made up for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const home = mkdtempSync(join(tmpdir(), 'upkeep-samples-'));
  t.after(() => rmSync(home, { recursive: true }));
  let now = START + 3600 - 20;
  let measured: readonly string[] = ['one', 'two'];
  const measurement = { ...sampleAt(START), requests: 3, durationMs: 6 };
  const begin = (): Samples => {
    const samples = new Samples({
      home,
      wall: () => new Date(now * 1000),
      measure: () => Promise.resolve(new Map(measured.map((name) => [name, measurement]))),
      onInternalError: (error) => assert.fail(String(error)),
    });
    samples.begin();
    return samples;
  };
  const pass = async (): Promise<void> => {
    now += 10;
    t.mock.timers.tick(10_000);
    await new Promise(setImmediate);
  };
  const hour = (name: string): number[] =>
    new RingFile(join(home, 'history', name), PACES[2]).read(START, START + 7200).map(({ at }) => at);
  const first = begin();
  await pass();
  measured = ['two']; // one was stopped
  await pass();
  assert.deepEqual([hour('one'), hour('two')], [[START], [START]]);
  now += 3600 - 20;
  await pass();
  first.end(); // and is killed
  utimesSync(join(home, 'history', 'two.10s'), now, now);
  measured = [];
  now += 30;
  const second = begin();
  await pass();
  second.end();
  assert.deepEqual([hour('one'), hour('two')], [[START], [START, START + 3600]]);
});

test('minutes and hours are made of what lies on disk, whenever the daemon was killed', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 40 }), (steps) => {
      inFolder((path) => {
        let [slot, lastAt, requests] = [0, START, 0];
        for (const step of steps) {
          slot += step; // some were missed
          const at = START + slot * 10;
          writeThrough(path, { ...sampleAt(at), requests: 1 }, lastAt);
          lastAt = at;
        }
        const end = START + slot * 10;
        const minutes = new RingFile(path, PACES[1]).read(START, end);
        for (const { requests: its } of minutes) requests += its;
        const fine = new RingFile(path, PACES[0]).read(START, end - (end % 60));
        if (slot < PACES[0].slots) assert.equal(requests, fine.length);
        for (const { at } of minutes) assert.equal(at % 60, 0);
      });
    }),
    { numRuns: 30 },
  );
});

test('a year of samples has a bound, and the newest are kept', () => {
  inFolder((path) => {
    const [{ slots, seconds }] = PACES;
    const ring = new RingFile(path, PACES[0]);
    for (let slot = 0; slot < slots + 100; slot++) ring.write(sampleAt(START + slot * seconds));
    assert.equal(statSync(ring.path).size, slots * SAMPLE_BYTES);
    const end = START + (slots + 100) * seconds;
    const kept = ring.read(START, end);
    assert.deepEqual(
      [kept.length, kept[0]!.at, kept.at(-1)!.at],
      [slots, START + 100 * seconds, end - seconds],
    );
    truncateSync(ring.path, 1000 * SAMPLE_BYTES + 7);
    assert.ok(ring.read(START, end).length > 0);
  });
});

test('together they are the sum of what was counted, and the highest of what was measured', () => {
  const merged = merge(START, [
    { ...sampleAt(START), requests: 2, rssBytes: 10, loopMaxMs: NaN, cpuPercent: 10, seconds: 5 },
    { ...sampleAt(START + 10), requests: 3, rssBytes: 30, loopMaxMs: 4, cpuPercent: 40, seconds: 10 },
  ]);
  const { requests, rssBytes, loopMaxMs, cpuPercent, seconds } = merged!;
  assert.deepEqual([requests, rssBytes, loopMaxMs, cpuPercent, seconds], [5, 30, 4, 30, 15]);
  assert.equal(merge(START, []), undefined);
  assert.deepEqual(add([1], [2]).slice(0, 2), [3, 0]);
});

function sampleAt(at: number): Sample {
  const latency = Array.from({ length: BUCKETS }, () => 0);
  return {
    at,
    seconds: 10,
    cpuPercent: 1.5,
    rssBytes: 2 ** 30,
    heapBytes: 2 ** 29,
    loopMaxMs: 2,
    requests: 7,
    errors: 1,
    latency,
    probes: { count: 5, meanMs: 1.25, maxMs: 4 },
  };
}

function inFolder(use: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-samples-'));
  try {
    use(join(folder, 'api'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
