/** What was is known later: by whom and how long, over the death of daemons. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IncidentView, SampleView, ServiceReport } from '../../src/protocol/index.js';
import { BUCKETS } from '../../src/metrics/histogram.js';
import { NO_PROBES, type Sample } from '../../src/metrics/sample.js';
import { writeThrough } from '../../src/metrics/samples.js';
import { ask } from '../rig/ask.js';
import { assertSucceeded, freePort, Rig } from '../rig/index.js';

test('the report has who died, who was restarted, and what happened while no daemon lived', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ restart: { delay: '200ms' } }), web: rig.puppet() });

  await (await rig.enter('api')).crash('SIGKILL');
  const second = await rig.enter('api', { after: 1 });
  await rig.untilInstance('api', ({ status }) => status === 'running');
  await rig.request({ kind: 'restart', services: ['api'] });
  const third = await rig.enter('api', { after: second.identity.attempt });
  await rig.killDaemon();
  const killedAt = Date.now();
  await third.crash('SIGKILL');
  // What a power cut leaves of a line, and what a newer version writes, is in nobody's way.
  appendFileSync(join(rig.home.path, 'history', 'api.jsonl'), '{"k":"new","t":1}\n{"k":"lev');
  await rig.startDaemon();
  await rig.enter('api', { after: third.identity.attempt });
  await rig.untilInstance('api', ({ status }) => status === 'running');

  const { services } = await rig.client.call('report', { query: { since: '1h' } });
  const [api, web] = ['api', 'web'].map((name) => services.find(({ service }) => service === name)!) as [
    ServiceReport,
    ServiceReport,
  ];
  // The attempts follow each other within STABLE_MS: one incident, whose first cause is told. Where the machine takes longer, there are more.
  const [first, ...more] = api.incidents.map(wordIncident);
  assert.match(first!, more.length === 0 ? /^crash down SIGKILL 3$/ : /^crash down SIGKILL [12]$/);
  assert.deepEqual([api.restarts, api.interventions, api.unobservedMs], [3, 1, 0]);
  assert.ok(api.availability! > 0 && api.availability! < 1, String(api.availability));
  assert.ok(api.downMs > 200 && api.repairMs.median !== null);
  assert.deepEqual([web.availability, web.unobservedMs, web.incidents.length], [1, 0, 0]);

  const late = await rig.client.call('report', { query: { service: ['api'], since: iso(killedAt) } });
  assert.equal(late.services[0]!.restarts, 1);
  const { stdout } = await rig.cli('report', 'api', '--since', '1h');
  assert.match(stdout, /^api +\d\d\.\d{4} %/m);
  if (more.length === 0) assert.match(stdout, /SIGKILL.*, 3 times \(instance 0, attempt 1\)/);
  assert.match(stdout, /history begins at/);
});

test('what is gone together with its daemon is unobserved until the next one', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  await rig.untilInstance('api', ({ status }) => status === 'running');
  const puppet = await rig.enter('api');
  const shim = rig.processes().find(({ pid }) => pid === puppet.pid)!.parent;
  await rig.killDaemon();
  await rig.killProcess(shim);
  await rig.killProcess(puppet.pid);
  await rig.startDaemon();
  await rig.enter('api', { after: 1 });
  const { services } = await rig.client.call('report');
  assert.ok(services[0]!.unobservedMs > 0, JSON.stringify(services));
});

test('the report has what was answered, and when that took longest', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet(), worker: rig.puppet() });
  const minute = 60 * Math.floor(Date.now() / 60_000);
  const path = join(rig.home.path, 'history', 'api');
  writeThrough(path, sampleAt(minute - 120, { fast: 90, slow: 10 }, 5), minute - 120);
  writeThrough(path, sampleAt(minute - 60, { fast: 100, slow: 0 }, 0), minute - 120);
  const { services } = await rig.client.call('report', { query: { since: '1h' } });
  const of = (name: string): ServiceReport => services.find(({ service }) => service === name)!;
  assert.equal(of('worker').traffic, null);
  const { requests, errors, p50, p95, slowest } = of('api').traffic!;
  assert.deepEqual([requests, errors], [200, 5]);
  assert.ok(p50!.ms < 1 && p95!.ms < 1 && slowest[0]!.p95.ms > 1000, JSON.stringify(slowest));
  assert.equal(slowest[0]!.at, iso((minute - 120) * 1000));

  const { stdout } = await rig.cli('report', '--since', '1h');
  assert.match(stdout, /^api +200 +5 \(2\.5 %\) +0\.\d+ms/m);
  assert.match(stdout, /^SLOWEST FROM.*\n.*\d\d:\d\d:00 .*\d\d:\d\d:00 +api +100 +5 \(5 %\) +\d\.\ds$/m);
  const other = await rig.cli('report', 'worker');
  assert.doesNotMatch(other.stdout, /REQUESTS|SLOWEST/);
});

test('a report of nobody, or of no time, is refused', async () => {
  await using rig = await Rig.create();
  await assert.rejects(rig.client.call('report', { query: { service: ['nobody'] } }), /"nobody"/);
  await assert.rejects(rig.client.call('report', { query: { since: 'soon' } }), /"soon" is no time/);
  const { code, stderr } = await rig.cli('report', '--since', 'soon');
  assert.deepEqual([code, stderr.includes('--since needs')], [2, true]);
});

test('how long probes took is measured, kept and told to everybody', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const script = rig.write(
    'slow.cjs',
    `require('node:http')
      .createServer((request, response) => setTimeout(() => response.end(), request.url === '/slow' ? 40 : 0))
      .listen(${port}, '127.0.0.1');`,
  );
  const health = { http: '/slow', interval: '100ms', action: 'none' } as const;
  assertSucceeded(await rig.up({ api: { script, port, health }, silent: rig.puppet() }));
  const sampled = async (): Promise<SampleView | undefined> => {
    const services = await rig.client.call('samples');
    assert.equal(services.find(({ service }) => service === 'silent')?.samples.at(-1)?.probes ?? null, null);
    return services
      .find(({ service }) => service === 'api')
      ?.samples.find(({ probes }) => probes !== null && probes.count > 3);
  };
  const { probes } = await rig.until('a slot is over', sampled, 60_000);
  assert.ok(probes!.meanMs >= 40 && probes!.maxMs >= probes!.meanMs, JSON.stringify(probes));
  const { services } = await rig.client.call('report', { query: {} });
  assert.ok(services.find(({ service }) => service === 'api')!.probes!.count >= probes!.count);
  assert.equal(services.find(({ service }) => service === 'silent')!.probes, null);
  assert.match((await rig.cli('report')).stdout, /SERVICE +PROBES +MEAN +SLOWEST\napi +\d+ +\d+ms/);
  const text = await rig.until('Prometheus is told', async () => {
    const { body } = await ask(0, '/metrics', { socketPath: join(rig.home.path, 'daemon.sock') });
    return /^upkeep_probe_duration_max_seconds\{service="api"\} [\d.]+$/m.test(body) && body;
  });
  assert.match(text, /^upkeep_probe_duration_mean_seconds\{service="api"\} [\d.]+$/m);
  assert.doesNotMatch(text, /upkeep_probe_duration_\w+\{service="silent"/);
});

/** With so many answers in half a millisecond, and in more than a second. */
function sampleAt(at: number, { fast, slow }: { fast: number; slow: number }, errors: number): Sample {
  const latency = Array.from({ length: BUCKETS }, (_, index) =>
    index === 6 ? fast : index === 30 ? slow : 0,
  );
  const rest = { cpuPercent: 1, rssBytes: 1, heapBytes: 1, loopMaxMs: 1, probes: NO_PROBES };
  return { at, seconds: 10, ...rest, requests: fast + slow, errors, latency };
}

function wordIncident({ cause, worst, words, times }: IncidentView): string {
  return `${cause} ${worst} ${/SIG\w+/.exec(words)?.[0]} ${times}`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
