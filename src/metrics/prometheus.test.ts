import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUCKETS } from './histogram.js';
import type { Scraped } from './families.js';
import { prometheusText } from './prometheus.js';

const LINE =
  /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+\{service="(?:[^"\\\n]|\\[\\"n])*"(?:,le="(?:[\d.e-]+|\+Inf)")?\} -?[\d.e+-]+)$/;

test('every line is one that Prometheus knows, each family stands together, and buckets add up', () => {
  const latency = Array.from({ length: BUCKETS }, () => 0)
    .with(0, 2)
    .with(7, 3)
    .with(BUCKETS - 1, 1);
  const text = prometheusText([scraped('api', latency), scraped('odd "name"\\', []), scraped('idle', [])]);
  const lines = text.trimEnd().split('\n');
  for (const line of lines) assert.match(line, LINE);
  const types = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]!);
  assert.deepEqual([...new Set(types)], types);
  const buckets = lines
    .filter((line) => line.includes('_bucket{service="api"'))
    .map((line) => Number(line.split(' ')[1]));
  assert.deepEqual(
    buckets,
    [...buckets].sort((a, b) => a - b),
  );
  assert.equal(buckets.at(-1), 6);
  assert.ok(lines.includes('upkeep_http_request_duration_seconds_count{service="api"} 6'));
  assert.ok(lines.includes('upkeep_service_up{service="api"} 1'));
  assert.ok(text.endsWith('\n'));
});

test('nothing is said of what nobody knows', () => {
  assert.doesNotMatch(prometheusText([scraped('api', [])]), /heap|duration|loop/);
});

function scraped(name: string, latency: readonly number[]): Scraped {
  const requests = latency.reduce((sum, count) => sum + count, 0);
  return {
    view: { name, status: 'running', restarts: 2, ports: [], instances: [] },
    level: 'up',
    sample: undefined,
    total: { requests, errors: 1, durationMs: 12.5, latency },
  };
}
