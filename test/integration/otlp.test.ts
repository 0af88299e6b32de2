/** Metrics arrive at an OpenTelemetry receiver, whatever it does, and no daemon suffers from it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BUCKETS } from '../../src/metrics/histogram.js';
import type { Scraped } from '../../src/metrics/index.js';
import { encodeMetrics } from '../../src/metrics/otlp/encode.js';
import { StartTimes } from '../../src/metrics/otlp/start-times.js';
import { OtlpReceiver, readMetrics, Rig } from '../rig/index.js';

const SECRET = 'T0KEN-of-the-receiver';

async function begin(rig: Rig, receiver: OtlpReceiver, more: NodeJS.ProcessEnv = {}): Promise<void> {
  Object.assign(rig.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver.port}/otel/`,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${SECRET},x-tenant=shop`,
    OTEL_METRIC_EXPORT_INTERVAL: '200',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    ...more,
  });
  await rig.startDaemon();
}

test('what the API says arrives, with the right beginning of each counter, also after a restart of the daemon', async () => {
  await using receiver = new OtlpReceiver();
  await receiver.open();
  await using rig = await Rig.create({ hasDaemon: false });
  await begin(rig, receiver);
  await rig.up({ api: rig.puppet({ instances: 2 }) });
  await rig.request({ kind: 'restart', services: ['api'] });
  const restarts = () => receiver.last('upkeep_restarts_total').get('api');
  // A restart is counted when it begins, and what it has started runs a moment later.
  const running = () => receiver.last('upkeep_instances_running').get('api')?.asDouble;
  const first = await rig.until(
    'restarts are told, and that both run',
    () => restarts()?.asInt === '2' && running() === 2 && restarts(),
  );
  assert.equal(receiver.last('upkeep_service_up').get('api')!.asDouble, 1);
  assert.ok(receiver.last('upkeep_memory_bytes').get('api')!.asDouble! > 1e6);
  const { path, headers } = receiver.taken.at(-1)!;
  assert.deepEqual(
    [path, headers.authorization, headers['x-tenant']],
    ['/otel/v1/metrics', `Bearer ${SECRET}`, 'shop'],
  );

  await rig.request({ kind: 'restart', services: ['api'] });
  const second = await rig.until('more are told', () => restarts()?.asInt === '4' && restarts());
  assert.equal(second.startTimeUnixNano, first.startTimeUnixNano, 'one daemon counts from one beginning');

  assert.equal((await rig.cli('daemon', 'stop')).code, 0);
  const stoppedAt = Date.now();
  const { length } = receiver.taken;
  await rig.startDaemon();
  await rig.until('the next daemon exports', () => receiver.taken.length > length && restarts());
  const third = restarts()!;
  assert.equal(third.asInt, '0', 'what another daemon has counted is not counted again');
  assert.ok(BigInt(third.startTimeUnixNano!) >= BigInt(stoppedAt) * 1_000_000n, third.startTimeUnixNano);

  await rig.request({ kind: 'delete', services: ['api'] });
  await rig.up({ api: rig.puppet() });
  await rig.request({ kind: 'restart', services: ['api'] });
  await rig.until('the new one is told', () => restarts()?.asInt === '1');
  assert.ok(
    BigInt(restarts()!.startTimeUnixNano!) > BigInt(third.startTimeUnixNano!),
    'it counts from its own beginning',
  );
  assert.deepEqual(receiver.complaints, []);
});

test('a receiver that is down, hangs or says no is told once, and hurts nobody; it gets the newest when it is well', async () => {
  await using receiver = new OtlpReceiver();
  await receiver.open();
  const { port } = receiver;
  await receiver.close();
  await using rig = await Rig.create({ hasDaemon: false });
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_TIMEOUT: '150' };
  Object.assign(rig.env, {
    OTEL_EXPORTER_OTLP_HEADERS: `api-key=${SECRET}`,
    OTEL_METRIC_EXPORT_INTERVAL: '100',
    ...env,
  });
  await rig.startDaemon();
  const warnings = async (): Promise<string[]> =>
    (await rig.events()).flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  await rig.up({ api: rig.puppet() });
  const [down] = await rig.until('it is told', async () => (await warnings()).length > 0 && warnings());
  assert.match(down!, /^cannot export all metrics to http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/);

  receiver.answer = 'nothing';
  await receiver.open(port);
  for (const answer of [
    'nothing',
    { status: 401 },
    { status: 503, headers: { 'retry-after': '1' } },
    { status: 302 },
  ] as const) {
    receiver.answer = answer;
    const { tries } = receiver;
    await rig.until(
      `it is asked twice while it says ${JSON.stringify(answer)}`,
      () => receiver.tries > tries + 1,
    );
  }
  assert.equal((await warnings()).length, 1, 'once in a row');
  const { rssBytes } = await rig.instance('api');
  assert.ok(rssBytes! > 0, 'the daemon answers');

  receiver.answer = undefined;
  await rig.until(
    'it gets everything',
    () => receiver.last('upkeep_instances_running').get('api')?.asDouble === 1,
  );
  assert.deepEqual([receiver.complaints, receiver.taken[0]!.path], [[], '/v1/metrics']);

  const puppet = await rig.enter('api');
  assert.doesNotMatch(
    JSON.stringify(await puppet.env()),
    new RegExp(SECRET),
    'services do not get the headers',
  );
  const { stdout } = await rig.cli('events', '--json');
  const log = readFileSync(join(rig.home.path, 'daemon.log'), 'utf8');
  assert.ok(!stdout.includes(SECRET) && !log.includes(SECRET), 'they are shown nowhere');
});

test('what may come back is tried again with the same values, what was refused is not, nor what has to wait for longer than the next', async () => {
  await using receiver = new OtlpReceiver();
  await receiver.open();
  receiver.answer = { status: 503 };
  await using rig = await Rig.create({ hasDaemon: false });
  await begin(rig, receiver, { OTEL_METRIC_EXPORT_INTERVAL: '2500' });
  await rig.up({ api: rig.puppet() });
  const bodyOf = (index: number): Promise<string> =>
    rig.until(`there are ${index + 1} tries`, () => receiver.bodies[index]);
  const first = await bodyOf(0);
  receiver.answer = { status: 400 };
  assert.equal(await bodyOf(1), first, 'tried again');
  const refused = await bodyOf(2);
  assert.notEqual(refused, first, 'a new export: the one before was refused');
  receiver.answer = { status: 429, headers: { 'retry-after': '3600' } };
  const patient = await bodyOf(3);
  receiver.answer = undefined;
  const last = await bodyOf(4);
  assert.equal(new Set([first, refused, patient, last]).size, 4);
  await rig.until('it is taken', () => receiver.taken.length > 0);
});

test('a mistake in the variables is told with what to write, and exports nothing', async () => {
  await using receiver = new OtlpReceiver();
  await receiver.open();
  await using rig = await Rig.create({ hasDaemon: false });
  await begin(rig, receiver, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  const events = await rig.until('it is told', async () => {
    const all = await rig.events();
    return all.some(({ type }) => type === 'warning') && all;
  });
  const told = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  assert.match(
    told.join('\n'),
    /OTEL_EXPORTER_OTLP_PROTOCOL is grpc.*OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http\/json/,
  );
  assert.equal(receiver.tries, 0);
});

test('what is encoded is as the protocol says, and has what Prometheus gets', () => {
  const latency = Array.from({ length: BUCKETS }, () => 0)
    .with(0, 2)
    .with(7, 3)
    .with(BUCKETS - 1, 1);
  const idle = { requests: 0, errors: 0, durationMs: 0, latency: [] };
  const services = [
    scraped('api', { ...idle, requests: 6, durationMs: 1500, latency }),
    scraped('idle', idle),
  ];
  const starts = new StartTimes([], 1000);
  const resource = { version: '1.2.3', attributes: { 'service.name': 'upkeep' } };
  const encoded = JSON.parse(
    JSON.stringify(encodeMetrics(starts.look(services, 5000), resource, 5000)),
  ) as object;
  const metrics = readMetrics(encoded);
  const [point, ...more] = metrics.get('upkeep_http_request_duration_seconds')!.histogram!.dataPoints;
  assert.deepEqual([point!.count, point!.sum, more], ['6', 1.5, []]);
  assert.deepEqual([point!.startTimeUnixNano, point!.timeUnixNano], ['1000000000', '5000000000']);
  assert.deepEqual(
    [point!.bucketCounts![0], point!.bucketCounts!.at(-1), point!.bucketCounts!.length],
    ['2', '1', 21],
  );
  assert.deepEqual(point!.explicitBounds!.slice(0, 3), [0.000064, 0.000128, 0.000256]);
  const requests = metrics.get('upkeep_http_requests_total')!;
  assert.deepEqual(
    requests.sum!.dataPoints.map(({ asInt }) => asInt),
    ['6', '0'],
  );
  assert.deepEqual(
    [requests.unit, metrics.get('upkeep_service_up')!.gauge!.dataPoints[0]!.asDouble],
    ['1', 1],
  );
});

function scraped(name: string, total: Scraped['total']): Scraped {
  const view = { name, status: 'running', restarts: 0, ports: [], instances: [] } as const;
  return { view: { ...view, ports: [], instances: [] }, level: 'up', sample: undefined, total };
}
