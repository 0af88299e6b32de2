import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scraped } from '../families.js';
import { otlpOptions, type OtlpOptions } from './options.js';
import { StartTimes } from './start-times.js';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const HEADERS = 'OTEL_EXPORTER_OTLP_HEADERS';

test('nothing is exported unless an endpoint is named, nor where it is switched off', () => {
  assert.equal(otlpOptions({}), undefined);
  assert.equal(otlpOptions({ [HEADERS]: 'a=b' }), undefined);
  const env = { [ENDPOINT]: 'http://localhost:4318' };
  assert.equal(otlpOptions({ ...env, OTEL_SDK_DISABLED: 'true' }), undefined);
  assert.equal(otlpOptions({ ...env, OTEL_METRICS_EXPORTER: 'none' }), undefined);
  assert.equal(otlpOptions({ ...env, OTEL_METRICS_EXPORTER: 'prometheus' }), undefined);
  for (const exporters of ['console,otlp', 'console, otlp '])
    assert.ok(otlpOptions({ ...env, OTEL_METRICS_EXPORTER: exporters }), exporters);
});

test('the variables are understood as the specification says', () => {
  const url = (env: Record<string, string>): string => (otlpOptions(env) as OtlpOptions).url.href;
  assert.equal(url({ [ENDPOINT]: 'http://localhost:4318' }), 'http://localhost:4318/v1/metrics');
  assert.equal(url({ [ENDPOINT]: 'https://otel.example/base/' }), 'https://otel.example/base/v1/metrics');
  const own = { [ENDPOINT]: 'http://a', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://b/in' };
  assert.equal(url(own), 'http://b/in');
  const whole = otlpOptions({
    [ENDPOINT]: 'http://a',
    [HEADERS]: 'Authorization=Basic%20QQ==, x-a = 1 ,',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '700',
    OTEL_METRIC_EXPORT_INTERVAL: '30000',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=x,env=test',
    OTEL_SERVICE_NAME: 'shop',
  }) as OtlpOptions;
  assert.deepEqual([whole.timeoutMs, whole.intervalMs], [700, 30_000]);
  assert.deepEqual(whole.headers, { Authorization: 'Basic QQ==', 'x-a': '1' });
  assert.deepEqual(whole.attributes, { 'service.name': 'shop', env: 'test' });
  const bare = otlpOptions({ [ENDPOINT]: 'http://a' }) as OtlpOptions;
  assert.deepEqual([bare.timeoutMs, bare.intervalMs], [10_000, 60_000]);
});

test('a mistake is named with its variable, without what may be secret', () => {
  const problem = (env: Record<string, string>): string => {
    const options = otlpOptions({ [ENDPOINT]: 'http://a', ...env });
    assert.ok(options && 'problem' in options, JSON.stringify(env));
    assert.doesNotMatch(options.problem, /S3CRET/);
    return options.problem;
  };
  assert.match(
    problem({ [ENDPOINT]: 'S3CRET.example:4318' }),
    /^OTEL_EXPORTER_OTLP_ENDPOINT is no URL: write http/,
  );
  assert.match(
    problem({ [ENDPOINT]: 'http://me:S3CRET%@a' }),
    /^OTEL_EXPORTER_OTLP_ENDPOINT has a user or a password that is not percent-encoded$/,
  );
  assert.match(
    problem({ [HEADERS]: 'a=1,S3CRET' }),
    /^entry 2 of OTEL_EXPORTER_OTLP_HEADERS is not key=value/,
  );
  assert.match(problem({ [HEADERS]: 'a=%ZZS3CRET' }), /^entry 1 .* is not percent-encoded/);
  assert.match(problem({ [HEADERS]: 'a=S3CRET%0Ax' }), /^entry 1 .* is no header/);
  assert.match(
    problem({ OTEL_METRIC_EXPORT_INTERVAL: '1m' }),
    /^OTEL_METRIC_EXPORT_INTERVAL is "1m": write milli/,
  );
  assert.match(
    problem({ OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf' }),
    /METRICS_PROTOCOL is http\/protobuf/,
  );
});

test('each counter has its beginning: of the export, or of the service', () => {
  const starts = new StartTimes([scraped('old', {}, 7)], 1000);
  const told = (services: readonly Scraped[], now: number): unknown[] =>
    starts
      .look(services, now)
      .map(({ view, sinceMs, total }) => [view.name, view.restarts, total.requests, sinceMs]);
  assert.deepEqual(told([scraped('old', { requests: 2 }, 9)], 2000), [['old', 2, 2, 1000]]);
  const two = [scraped('old', { requests: 5 }, 9), scraped('new', { requests: 1 }, 1)];
  assert.deepEqual(told(two, 3000), [
    ['old', 2, 5, 1000],
    ['new', 1, 1, 2000],
  ]);
  // Deleted and created in between: it has fewer restarts than ever before.
  assert.deepEqual(told([scraped('old', { requests: 6 }, 0)], 4000), [['old', 0, 6, 3000]]);
  assert.deepEqual(told([], 5000), []);
  assert.deepEqual(told([scraped('old', {}, 0)], 6000), [['old', 0, 0, 5000]]);
});

function scraped(name: string, total: Partial<Scraped['total']>, restarts = 0): Scraped {
  return {
    view: { name, status: 'running', restarts, ports: [], instances: [] },
    level: 'up',
    sample: undefined,
    total: { requests: 0, errors: 0, durationMs: 0, latency: [], ...total },
  };
}
