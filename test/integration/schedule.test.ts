import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from '../rig/index.js';

const EVERY_SECOND = '* * * * * *';

test('between its runs a scheduled service does not live, and tells when the next one is due', async () => {
  await using rig = await Rig.create();
  await rig.up({ report: rig.puppet({ schedule: { run: '0 0 1 1 *', timezone: 'UTC' } }) });
  const { status, pid, nextStartAt } = await rig.instance('report');
  assert.deepEqual([status, pid], ['scheduled', null]);
  assert.match(nextStartAt!, /^\d{4}-01-01T00:00:00/);
});

test('a scheduled service runs to completion at its times, whether it succeeds or fails', async () => {
  await using rig = await Rig.create();
  await rig.up({ report: rig.puppet({ schedule: { run: EVERY_SECOND } }) });
  await (await rig.enter('report')).exit(1);
  await (await rig.enter('report', { after: 1 })).exit(0);
  await rig.enter('report', { after: 2 });
  const codes = (await rig.events('report')).flatMap((event) =>
    event.type === 'instance-exited' ? [event.exit.code] : [],
  );
  assert.deepEqual(codes, [1, 0]);
});

test('"skip": a time that falls into a run is left out', async () => {
  await using rig = await Rig.create();
  await rig.up({ report: rig.puppet({ schedule: { run: EVERY_SECOND, overlap: 'skip' } }) });
  await rig.enter('report');
  await untilTicks(rig, 2);
  assert.equal((await rig.instance('report')).attempt, 1);
});

test('"queue": however many times fall into a run, one run follows it at once', async () => {
  await using rig = await Rig.create();
  await rig.up({ report: rig.puppet({ schedule: { run: EVERY_SECOND, overlap: 'queue' } }) });
  const first = await rig.enter('report');
  await untilTicks(rig, 2);
  await first.exit(0);
  await rig.enter('report', { after: 1 });
  const events = await rig.events('report');
  const endedAt = Date.parse(events.findLast(({ type }) => type === 'instance-exited')!.at);
  const startedAt = Date.parse(
    events.findLast((event) => event.type === 'instance-status' && event.to === 'starting')!.at,
  );
  const hasTicked = Math.floor(startedAt / 1000) > Math.floor(endedAt / 1000);
  assert.ok(!hasTicked || startedAt - endedAt < 100, 'not only at the next time');
});

test('"replace": a new run ends the one before', async () => {
  await using rig = await Rig.create();
  await rig.up({ report: rig.puppet({ schedule: { run: EVERY_SECOND, overlap: 'replace' } }) });
  const first = await rig.enter('report');
  await first.gone;
  await rig.enter('report', { after: 1 });
  const exits = (await rig.events('report')).flatMap((event) =>
    event.type === 'instance-exited' ? [event.exit] : [],
  );
  assert.equal(exits[0]!.askedBy, `schedule ${EVERY_SECOND}`);
});

test('a restart on schedule is an operation of the daemon', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ schedule: { restart: EVERY_SECOND } }) });
  await rig.enter('api', { after: 1 });
  const operations = await rig.client.call('operations');
  const restart = operations.find(({ kind }) => kind === 'restart');
  assert.equal(restart?.requester.command, `upkeep daemon (schedule ${EVERY_SECOND})`);
});

test('a stopped service is not started by its schedule', async () => {
  await using rig = await Rig.create();
  await rig.up({ report: rig.puppet({ schedule: { run: EVERY_SECOND } }) });
  await rig.request({ kind: 'stop', services: ['report'] });
  const { attempt } = await rig.instance('report');
  await untilTicks(rig, 2);
  assert.equal((await rig.instance('report')).attempt, attempt);
});

test('a change of a watched file restarts the service, a change of an ignored one does not', async () => {
  await using rig = await Rig.create();
  const watch = { paths: ['settings.txt'], delay: '50ms' };
  rig.write('settings.txt', 'old');
  await rig.up({ api: rig.puppet({ watch }) });
  await rig.enter('api');
  await rig.untilWatched('settings.txt');

  rig.write('other.txt', 'of no interest');
  rig.write('settings.txt', 'new');

  await rig.enter('api', { after: 1 });
  const [restart] = await rig.client.call('operations');
  assert.deepEqual(
    [restart!.kind, restart!.requester.command],
    ['restart', 'upkeep daemon (watch: settings.txt changed)'],
  );
});

/** Waits until so many times of the schedule have passed, as another service sees them. */
async function untilTicks(rig: Rig, count: number): Promise<void> {
  await rig.up({ metronome: { command: ['/bin/echo', 'tick'], schedule: { run: EVERY_SECOND } } });
  await rig.until(`${count} ticks`, async () => (await rig.instance('metronome')).attempt >= count);
}
