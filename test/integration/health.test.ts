import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSucceeded, freePort, Rig } from '../rig/index.js';

const OFTEN = { http: '/', interval: '100ms', failures: 2 } as const;

test('with action none an unhealthy instance is only told, and that it recovered', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const health = { ...OFTEN, action: 'none', successes: 3 } as const;
  const operation = rig.up({ api: rig.puppet({ port, health }) });
  const puppet = await rig.enter('api');
  await puppet.listen(port, null);
  assertSucceeded(await operation);
  await rig.untilInstance('api', ({ healthy }) => healthy === true);
  await puppet.serve(500);
  await rig.untilInstance('api', ({ healthy }) => healthy === false);
  await puppet.serve(200);
  await rig.untilInstance('api', ({ healthy }) => healthy === true);
  const { pid, attempt } = await rig.instance('api');
  assert.deepEqual([pid, attempt], [puppet.pid, 1]);
  const told = (await rig.events('api')).flatMap((event) =>
    event.type === 'instance-health' ? [[event.healthy, event.action]] : [],
  );
  assert.deepEqual(told, [
    [true, undefined],
    [false, 'none'],
    [true, undefined],
  ]);
});

test('what ceased to answer while no daemon lived is dated between its last answer and the first look of the next one', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const operation = rig.up({ api: rig.puppet({ port, health: { ...OFTEN, action: 'none' } }) });
  const puppet = await rig.enter('api');
  await puppet.listen(port, null);
  assertSucceeded(await operation);
  await rig.untilInstance('api', ({ healthy }) => healthy === true);
  await rig.killDaemon();
  const killedAt = Date.now();
  await puppet.serve(500);
  const nextAt = Date.now();
  await rig.startDaemon();
  await rig.untilInstance('api', ({ healthy }) => healthy === false);
  const told = (await rig.events('api')).flatMap((event) =>
    event.type === 'instance-health' && !event.healthy ? [event] : [],
  );
  assert.equal(told.length, 1);
  const since = Date.parse(told[0]!.since!);
  const firstLookAt = Date.parse(told[0]!.at);
  // Halfway: as far from the daemon before as from the first look, which was before it was told.
  assert.ok(
    since > killedAt - 2000 && since < (nextAt + firstLookAt) / 2,
    `${since - killedAt} ms after the kill`,
  );
});

test('probes restart one instance after the other while another one serves', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const operation = rig.up({ api: rig.puppet({ port, instances: 3, health: OFTEN, stop: { drain: 0 } }) });
  const puppets = await Promise.all([0, 1, 2].map((instance) => rig.enter('api', { instance })));
  for (const puppet of puppets) await puppet.listen(port, null);
  assertSucceeded(await operation);
  for (const index of [0, 1, 2]) await rig.untilInstance('api', ({ healthy }) => healthy === true, index);

  await puppets[0]!.serve(500);
  const next = await rig.enter('api', { after: 1 });
  await puppets[1]!.serve(500);
  await rig.untilInstance('api', ({ healthy }) => healthy === false, 1);
  const hits = await puppets[1]!.hits();
  await rig.until('it is asked five times more', async () => (await puppets[1]!.hits()) > hits + 5);
  assert.equal((await rig.instance('api', 1)).attempt, 1, 'it waits for instance 0');

  await next.listen(port, null);
  await rig.enter('api', { instance: 1, after: 1 });
  assert.equal((await rig.instance('api', 2)).attempt, 1);
});

test('another health check holds for the running instance at once', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const operation = rig.up({ api: rig.puppet({ port }) });
  const puppet = await rig.enter('api');
  await puppet.listen(port, null);
  assertSucceeded(await operation);
  assert.equal((await rig.instance('api')).healthy, null);
  assertSucceeded(await rig.up({ api: rig.puppet({ port, health: OFTEN }) }));
  await rig.untilInstance('api', ({ healthy }) => healthy === true);
  const other = { ...OFTEN, action: 'none', headers: { server: 'other' } } as const;
  assertSucceeded(await rig.up({ api: rig.puppet({ port, health: other }) }));
  const { pid } = await rig.untilInstance('api', ({ healthy }) => healthy === false);
  assert.equal(pid, puppet.pid);
});

test('what crashes while a probe asks it has ended by itself, even where the probe is the first to notice', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const script = rig.write(
    'crashes.cjs',
    `let probes = 0;
    require('http').createServer((request, response) => {
      if (request.url === '/probe' && ++probes === 2) throw new Error('in the midst of it');
      response.end();
    }).listen(${port});`,
  );
  const patient = { timeout: '20s', startPeriod: '20s' } as const;
  const health = { http: '/probe', interval: '100ms', failures: 1, ...patient } as const;
  const restart = { delay: '1ms', maxDelay: '1ms', limit: 1000 } as const;
  await rig.up({ api: { script, port, health, restart } });
  const exits = await rig.until('it has ended often', async () => {
    const all = (await rig.events('api')).flatMap((event) =>
      event.type === 'instance-exited' ? [event] : [],
    );
    return all.length >= 12 && all;
  });
  for (const { exit } of exits)
    assert.deepEqual([exit.askedBy, exit.error?.message], [null, 'in the midst of it']);
});
