/**
 * A real Prometheus scrapes services with odd names, with and without requests, up and down, while they are restarted, reloaded, scaled and
 * crash: promtool finds no fault with any text, no counter falls, and what Prometheus has stored is what the API says.
 *
 * Needs `prometheus` and `promtool`, both of Debian's package prometheus: on the PATH, or by UPKEEP_PROOF_PROMETHEUS and
 * UPKEEP_PROOF_PROMTOOL.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ServiceConfig } from '../../src/config/index.js';
import type { ServiceView } from '../../src/protocol/index.js';
import { app, freePort, Rig, visit } from '../../test/rig/index.js';
import { complaintsAbout, Prometheus, type Series } from './prometheus-can-read-it/prometheus.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const MORE = Math.round(60 * scale);
const DURATION_MS = Math.max(25_000, 180_000 * scale);
/** A sample is taken every ten seconds, and scraped three seconds later. */
const SETTLED_MS = 60_000;
const ODD = ['watch', 'null', '0', 'NaN', 'le', 'a.b-c_d', '_', 'n'.repeat(64)];
const COUNTERS = '{__name__=~"upkeep_.+_(total|count|sum|bucket)"}';
const HISTOGRAM = 'upkeep_http_request_duration_seconds';

const metricsPort = await freePort();
const [busyPort, changedPort, otherPort] = [await freePort(), await freePort(), await freePort()];
await using rig = await Rig.create({ hasDaemon: false });
rig.env['UPKEEP_METRICS'] = String(metricsPort);
await rig.startDaemon();
const sleeper: ServiceConfig = { command: ['sleep', '1000000'] };
const server = (port: number, rest: ServiceConfig = {}): ServiceConfig => ({
  script: app('serves-http.cjs'),
  port,
  env: { PORT: String(port) },
  ...rest,
});
const names = [...ODD, ...Array.from({ length: MORE }, (_, index) => `s${index}`)];
await rig.up({
  ...Object.fromEntries(names.map((name) => [name, sleeper])),
  busy: server(busyPort, { instances: 2 }),
  changed: server(changedPort, { instances: 2 }),
  unasked: server(otherPort),
  crashes: { command: ['/bin/sh', '-c', 'sleep 0.3; exit 3'], restart: { delay: '300ms', limit: 10_000 } },
  done: { command: ['true'], restart: 'never' },
  stopped: sleeper,
});
await rig.request({ kind: 'stop', services: ['stopped'] });
await using prometheus = await Prometheus.start(metricsPort);

const texts: string[] = [];
const seen = { requests: 0, operations: 0 };
/** Of each service by the time of the sample: the API has the last two minutes. */
const measured = new Map<string, Map<string, number>>();
const endsAt = performance.now() + DURATION_MS;
const isOver = (): boolean => performance.now() > endsAt;
await Promise.all([scrapeOften(), askOften(busyPort), askOften(changedPort), changeOften()]);
await rig.request({ kind: 'stop', services: ['crashes'] });

const complaints = texts.map(complaintsAbout).filter((words) => words !== '');
const apart = await settle();
const [failures] = await prometheus.query('count_over_time(up[1h]) - sum_over_time(up[1h])');
const [scrapes] = await prometheus.query('count_over_time(up[1h])');
const counters = await prometheus.query(`count by (__name__) (${COUNTERS})`);
const fallen = await Promise.all(
  counters.map(({ labels }) => prometheus.query(`resets(${labels['__name__']}[1h]) > 0`)),
).then((found) => found.flat());
const buckets = await prometheus.query(`${HISTOGRAM}_bucket`);
const counts = await prometheus.query(`${HISTOGRAM}_count`);
const restarts = await prometheus.query('sum(upkeep_restarts_total)');
const stored = await prometheus.query('count({__name__=~"upkeep_.+"})');

console.log(
  `${names.length + 6} services, ${seen.requests} requests, ${seen.operations} operations, ${restarts[0]!.value} restarts`,
);
console.log(`promtool read ${texts.length} texts and complains of ${complaints.length}`);
console.log(
  `Prometheus scraped ${scrapes!.value} times and failed ${failures!.value} times; it has ${stored[0]!.value} series, ${counters.length} of their names are counters, ${fallen.length} counters fell`,
);
console.log(`values that are not what the API says: ${apart.length}`);
assert.deepEqual(complaints, []);
assert.deepEqual([failures!.value, fallen, apart], [0, [], []]);
assertHistogram('busy');
assert.ok(counters.length >= 6 && counts.find(({ labels }) => labels['service'] === 'busy')!.value > 0);
assert.ok(restarts[0]!.value > 5 && texts.length > 5 && scrapes!.value > 4, 'it has seen something');

async function scrapeOften(): Promise<void> {
  while (!isOver()) {
    const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    assert.match(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
    texts.push(await response.text());
    await noteSamples();
    await sleep(1000);
  }
}

async function askOften(port: number): Promise<void> {
  while (!isOver()) {
    const path = seen.requests % 50 === 0 ? '/slow?120' : '/';
    if (await visit(port, { path }).then(() => true, () => false)) seen.requests++; // prettier-ignore
    await sleep(10);
  }
}

async function changeOften(): Promise<void> {
  const changes = [
    () => rig.request({ kind: 'scale', service: 'changed', instances: 3 }),
    () => rig.request({ kind: 'restart', services: ['changed', 'watch', 's0'].slice(0, MORE > 0 ? 3 : 2) }),
    () => rig.request({ kind: 'scale', service: 'changed', instances: 1 }),
    () => rig.request({ kind: 'reload', services: ['changed'] }),
    () => rig.request({ kind: 'stop', services: ['null'] }),
    () => rig.request({ kind: 'start', services: ['null'] }),
  ];
  for (let turn = 0; !isOver(); turn++) {
    await changes[turn % changes.length]!();
    seen.operations++;
    await sleep(500);
  }
}

/** Waits until Prometheus has what the API says; answers what never was so. */
async function settle(): Promise<string[]> {
  let apart: string[] = ['not looked at yet'];
  const look = async (): Promise<boolean> => (apart = await compare()).length === 0;
  await rig.until('Prometheus has what the API says', look, SETTLED_MS).catch(() => undefined); // told as figures
  return apart;
}

async function compare(): Promise<string[]> {
  const views = await rig.client.call('services');
  await noteSamples();
  const requestsOf = (name: string): number =>
    [...(measured.get(name)?.values() ?? [])].reduce((sum, requests) => sum + requests, 0);
  const sumOf = ({ instances }: ServiceView, key: 'rssBytes'): number | undefined => {
    const known = instances.flatMap((instance) => instance[key] ?? []);
    return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
  };
  const runs = ({ instances }: ServiceView): number =>
    instances.filter(({ status }) => status === 'running').length;
  const expected: Record<string, (view: ServiceView) => number | undefined> = {
    upkeep_instances: ({ instances }) => instances.length,
    upkeep_instances_running: runs,
    upkeep_restarts_total: ({ restarts }) => restarts,
    upkeep_service_up: (view) => (runs(view) > 0 ? 1 : 0),
    upkeep_service_expected: (view) => (runs(view) > 0 ? 1 : 0),
    upkeep_http_requests_total: ({ name }) => requestsOf(name),
    // What a server in Node.js has from moment to moment is never twice the same.
    upkeep_memory_bytes: (view) =>
      view.name in { busy: 1, changed: 1, unasked: 1 } ? undefined : sumOf(view, 'rssBytes'),
  };
  const found = await Promise.all(
    Object.entries(expected).map(async ([family, valueOf]) => {
      const series = await prometheus.query(family);
      return views.flatMap((view) => {
        const [said, is] = [valueOf(view), find(series, view.name)];
        return said === undefined || said === is ? [] : [`${family} of ${view.name}: ${said}, not ${is}`];
      });
    }),
  );
  return found.flat();
}

async function noteSamples(): Promise<void> {
  for (const { service, samples } of await rig.client.call('samples')) {
    const known = measured.get(service) ?? new Map<string, number>();
    for (const { at, requests } of samples) known.set(at, requests);
    measured.set(service, known);
  }
}

function find(series: readonly Series[], service: string): number | undefined {
  return series.find(({ labels }) => labels['service'] === service)?.value;
}

function assertHistogram(service: string): void {
  const its = buckets
    .filter(({ labels }) => labels['service'] === service)
    .map(({ labels, value }) => ({ le: labels['le'] === '+Inf' ? Infinity : Number(labels['le']), value }))
    .sort((a, b) => a.le - b.le);
  assert.ok(its.length > 10 && its.at(-1)!.le === Infinity);
  for (const [index, { value }] of its.entries()) assert.ok(value >= (its[index - 1]?.value ?? 0));
  assert.equal(its.at(-1)!.value, find(counts, service));
}
