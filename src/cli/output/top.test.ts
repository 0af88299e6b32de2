import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { SamplesView, ServiceView } from '../../protocol/index.js';
import { formatTop, sparkline, windowOf } from './top.js';

const now = new Date('2026-01-01T12:00:00Z');

test('a screen of any size is never left', () => {
  for (const [width, height] of [
    [80, 24],
    [80, 8],
    [120, 60],
  ] as const)
    for (const selected of [0, 17, 39]) {
      const lines = formatTop({ ...scene(40), selected, width, height, now, message: 'x'.repeat(200) });
      assert.ok(lines.length <= height, `${lines.length} of ${height} lines`);
      for (const line of lines) assert.ok(stripVTControlCharacters(line).length <= width, line);
      assert.ok(
        lines.some((line) => line.includes(`s${selected} `)),
        `${selected} is seen`,
      );
    }
});

test('a service is one line: rates, the slow ones, the loop, and how it was', () => {
  const text = formatTop({ ...scene(1), width: 120, height: Infinity, now }).join('\n');
  assert.match(text, /^s0 +running +12\.5% +95\.4 MB +12 +3 +25ms +1\.5ms +4 +█+$/m);
});

test('a list is moved only as far as the chosen line wants', () => {
  assert.deepEqual(windowOf(3, 2, 10), { from: 0, to: 3 });
  assert.deepEqual(windowOf(40, 0, 10), { from: 0, to: 10 });
  assert.deepEqual(windowOf(40, 39, 10), { from: 30, to: 40 });
  assert.equal(sparkline([0, 5, 10]), '▁▅█');
});

function scene(count: number): { services: ServiceView[]; samples: SamplesView[] } {
  const instance = {
    index: 0,
    role: 'serving',
    pid: 7,
    status: 'running',
    healthy: null,
    attempt: 1,
  } as const;
  const live = { startedAt: null, uptimeMs: 1, rssBytes: 1e8, cpuPercent: 12.5 };
  const sample = {
    ...{
      at: now.toISOString(),
      seconds: 10,
      cpuPercent: 12.5,
      rssBytes: 1e8,
      heapBytes: null,
      loopMaxMs: 1.5,
    },
    ...{ requests: 120, errors: 3, p50Ms: 2, p95Ms: 25.2, p99Ms: 30, probes: null },
  };
  const names = Array.from({ length: count }, (_, index) => `s${index}`);
  return {
    services: names.map((name) => ({
      ...{ name, status: 'running', restarts: 4, ports: [] },
      instances: [{ ...instance, ...live }],
    })),
    samples: names.map((service) => ({ service, samples: [sample, sample, sample] })),
  };
}
