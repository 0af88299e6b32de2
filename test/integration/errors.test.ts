import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { ServiceConfig } from '../../src/config/index.js';
import type { ErrorKindView } from '../../src/protocol/index.js';
import { app, assertSucceeded, Rig } from '../rig/index.js';

function failing(failures: string, config: ServiceConfig = {}): ServiceConfig {
  return { script: app('fails.js'), ...config, env: { ...config.env, FAILURES: failures } };
}

async function kindsOf(rig: Rig, query: Record<string, string> = {}): Promise<readonly ErrorKindView[]> {
  return (await rig.client.call('errors', { query })).kinds;
}

/** By type, or by the beginning of the title. */
async function counts(rig: Rig): Promise<Record<string, number>> {
  const kinds = await kindsOf(rig, { muted: '1' });
  return Object.fromEntries(kinds.map(({ type, title, count }) => [type ?? title, count]));
}

function untilCounted(rig: Rig, expected: Record<string, number>): Promise<unknown> {
  return rig.until(`the errors are ${JSON.stringify(expected)}`, async () =>
    isDeepStrictEqual(await counts(rig), expected),
  );
}

test('errors of Node and Python are counted by kind, with who had them and one in full', async () => {
  await using rig = await Rig.create();
  await rig.up({
    api: failing('type 7,range 3', { instances: 2, ports: [] }),
    jobs: { script: app('fails.py'), interpreter: '/usr/bin/python3', env: { COUNT: '5' } },
  });
  await untilCounted(rig, { TypeError: 14, RangeError: 6, ValueError: 5 });

  const kinds = await kindsOf(rig);
  const found = kinds.find(({ type }) => type === 'TypeError')!;
  const [detail] = await rig.client.call('errorKind', { params: { id: found.id.slice(0, 9) } });
  assert.deepEqual(
    detail!.attempts
      .toSorted((one, other) => one.instance - other.instance)
      .map(({ instance, attempt, count }) => [instance, attempt, count]),
    [
      [0, 1, 7],
      [1, 1, 7],
    ],
  );
  assert.match(detail!.at!, /^fails\.js:\d+$/);
  assert.match(detail!.sample!.lines.join('\n'), /^TypeError: Cannot read .*\n {4}at .*fails\.js/);
  assert.equal(detail!.sample!.stream, 'err');
  const python = kinds.find(({ type }) => type === 'ValueError')!;
  const [{ sample } = { sample: null }] = await rig.client.call('errorKind', { params: { id: python.id } });
  assert.match(sample!.lines.join('\n'), /ConnectionError: .*direct cause.*ValueError: cannot load/s);

  const events = await rig.events('api');
  const told = events.filter((event) => event.type === 'error-kind-new');
  assert.deepEqual(
    told.map(({ id }) => id).sort(),
    kinds.flatMap(({ service, id }) => (service === 'api' ? [id] : [])).sort(),
  );
  const log = readFileSync(join(rig.home.path, 'daemon.log'), 'utf8');
  assert.match(log, /api: new error: RangeError: no such page/);
  assert.doesNotMatch(log, /fails\.js/, 'nothing of the output but the title');
});

test('JSON lines and levels are errors on both streams', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: failing('json 4,line 3,type 1') });
  await rig.until('all are counted', async () => {
    const kinds = await kindsOf(rig);
    return kinds.reduce((sum, { count }) => sum + count, 0) === 8 && kinds.length === 3;
  });
});

test('an exception that nobody caught is counted in each attempt', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: failing('type 1,throw 1', { restart: { delay: 10, limit: 3, window: '1h' } }) });
  await rig.until('it crashed several times', async () => (await counts(rig)).Error! >= 3);
  const [kind] = (await kindsOf(rig)).filter(({ type }) => type === 'Error');
  const [detail] = await rig.client.call('errorKind', { params: { id: kind!.id } });
  assert.ok(detail!.attempts.length >= 3 && detail!.attempts.every(({ count }) => count === 1));
});

test('each deployment sets a mark: only what is first seen after it is new', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: failing('type 5') });
  await untilCounted(rig, { TypeError: 5 });
  assert.deepEqual((await kindsOf(rig, { new: '1' })).length, 1);

  await rig.up({ api: failing('type 2,range 3') });
  await untilCounted(rig, { TypeError: 7, RangeError: 3 });
  const fresh = await kindsOf(rig, { new: '1' });
  assert.deepEqual(
    fresh.map(({ type, count, isNew }) => [type, count, isNew]),
    [['RangeError', 3, true]],
  );
  assert.equal((await rig.service('api')).newErrors, 1);
  assert.match((await rig.cli('list')).stdout, /NEW ERRORS\n.* 1$/m);
  const all = await kindsOf(rig);
  const known = all.find(({ type }) => type === 'TypeError')!;
  assert.deepEqual([known.isNew, known.count, known.countSinceMark], [false, 7, 2]);

  const marks = await rig.client.call('mark', { body: { services: ['api'], text: 'flag on' } });
  assert.deepEqual(
    marks.map(({ id, kind, text }) => [id, kind, text]),
    [[3, 'manual', 'flag on']],
  );
  assert.deepEqual(await kindsOf(rig, { new: '1' }), []);
  assert.equal((await rig.service('api')).newErrors, undefined);
  const { stdout, code } = await rig.cli('deploy-mark', 'api', '--version', '1.4.2', '--text', 'by hand');
  assert.equal(code, 0);
  assert.match(stdout, /^api: mark 4, \S.* \(deployed 1\.4\.2, by hand\)$/m);
  assert.equal((await kindsOf(rig, { new: '1', since: new Date(0).toISOString() })).length, 2);
  assert.deepEqual(await kindsOf(rig, { since: 'mark' }), []);
});

test('what is muted is not new, is listed where that is asked for, and comes back when the mute is over', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: failing('type 1,range 1') });
  await untilCounted(rig, { TypeError: 1, RangeError: 1 });
  const { id } = (await kindsOf(rig)).find(({ type }) => type === 'TypeError')!;

  const mute = await rig.cli('errors', 'mute', id, '--reason', 'known, #412', '--for', '7d');
  assert.deepEqual([mute.code, mute.stderr], [0, '']);
  const types = async (query: Record<string, string>): Promise<string[]> =>
    (await kindsOf(rig, query)).map(({ type }) => String(type)).sort();
  assert.deepEqual(await types({ new: '1' }), ['RangeError']);
  assert.deepEqual(await types({}), ['RangeError']);
  assert.deepEqual(await types({ muted: '1' }), ['RangeError', 'TypeError']);
  const { stdout } = await rig.cli('errors', '--muted');
  assert.match(stdout, /by \S+ until .*: known, #412/);

  await rig.crashDaemon();
  await rig.untilAnswering();
  assert.deepEqual(await types({ new: '1' }), ['RangeError'], 'a mute outlives the daemon');
  await rig.client.call('muteError', { params: { id }, body: { service: 'api', reason: 'short', forMs: 1 } });
  await rig.until('the mute is over', async () => (await types({ new: '1' })).length === 2);
  await rig.client.call('muteError', {
    params: { id },
    body: { service: null, reason: 'for good', forMs: null },
  });
  await rig.client.call('unmuteError', { params: { id }, body: { service: null } });
  assert.deepEqual(await types({ new: '1' }), ['RangeError', 'TypeError']);
});

test('what is known of errors is for nobody else to read, and stays with the logs when a service is deleted', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: failing('type 1') });
  await untilCounted(rig, { TypeError: 1 });
  const folder = join(rig.home.path, 'errors', 'api');
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'kinds.jsonl')).mode & 0o777, 0o600);

  await rig.request({ kind: 'delete', services: ['api'] });
  assert.deepEqual([existsSync(folder), existsSync(join(rig.home.path, 'logs', 'api'))], [true, true]);
  await rig.up({ api: failing('type 2') });
  await untilCounted(rig, { TypeError: 3 });
  assert.deepEqual(await kindsOf(rig, { new: '1' }), [], 'it is known from before');
});

test('the command line shows kinds, and says what it cannot do', async () => {
  await using rig = await Rig.create();
  assert.equal((await rig.cli('errors')).stdout, 'No errors\n');
  await rig.up({ api: failing('type 2') });
  await untilCounted(rig, { TypeError: 2 });
  const { stdout } = await rig.cli('errors', '--new');
  assert.match(
    stdout,
    /^ID +NEW +SERVICE +COUNT.*\n[0-9a-f]{7} +new +api +2 .*fails\.js:\d+ +TypeError: Cannot read/,
  );
  const id = stdout.split('\n')[1]!.slice(0, 7);
  const shown = await rig.cli('errors', 'show', id);
  assert.match(shown.stdout, /^api: TypeError: .*\n +id +v1:.*First seen in stderr of api\.0 attempt 1/s);
  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  assert.match(
    (await rig.cli('errors', 'api', '--new')).stdout,
    /^No new errors since .*\(restart, operation 2\)/,
  );
  for (const [args, words] of [
    [['errors', 'nobody'], /Cannot show the errors of "nobody": there is no such service/],
    [['errors', 'show', 'ffff'], /Cannot show error "ffff": there is no kind with this id/],
    [['errors', 'mute', id], /"mute" needs "--reason"/],
    [['errors', 'mute', id, '--reason', 'x', '--for', 'ever'], /--for needs a time such as 7d/],
    [['errors', '--since', 'noon'], /--since needs 1h, a time or "mark", not "noon"/],
  ] as const) {
    const { code, stderr } = await rig.cli(...args);
    assert.notEqual(code, 0, args.join(' '));
    assert.match(stderr, words);
  }
});

test('an error after a long silence is told, also the first line of all', async () => {
  await using rig = await Rig.create();
  await rig.up({ spoke: rig.puppet(), silent: rig.puppet() });
  const [spoke, silent] = [await rig.enter('spoke'), await rig.enter('silent')];
  await spoke.print('a line');
  await rig.untilWatched('../home/logs/spoke');
  await rig.untilWatched('../home/logs');
  const before = performance.now();
  for (const puppet of [spoke, silent])
    await puppet.print('TypeError: it broke\n    at run (/srv/a.js:1:1)', 'err');
  await rig.until('both are told', async () => (await kindsOf(rig)).length === 2);
  assert.ok(performance.now() - before < 10_000, 'only found by the look every 30 s');
});
