/** Kills the daemon again and again; after each kill, under load, the service crashes, is reloaded or is scaled. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { freePort, assertSucceeded, Rig } from '../../../test/rig/index.js';
import { crashesOf, judge } from '../crashes-refuse-nobody/judge.js';
import { Load } from '../load/index.js';
import { readAccessLog } from '../support/access-log.js';
import { crash, WAYS_TO_CRASH } from '../support/crash.js';
import { followEvents, type DatedEvent } from '../support/dated-events.js';
import { formatReport } from '../support/figures.js';

const [cwd = '', kills = ''] = process.argv.slice(2);
const SERVICE = 'shop';
const CALM = 50;
const DEEDS = ['crash', 'reload', 'scale up', 'scale down'] as const;

await using rig = await Rig.create();
const port = await freePort();
const accessLog = join(rig.folder, 'access.log');
assertSucceeded(
  await rig.up({
    [SERVICE]: {
      script: 'server.js',
      cwd,
      port,
      instances: 2,
      env: { PORT: port, NODE_ENV: 'production', ACCESS_LOG: accessLog },
      restart: { delay: '1ms', maxDelay: '1ms', limit: 1_000_000 },
    },
  }),
);
await using load = await Load.start({
  port,
  clients: [
    { kind: 'connections', perSecond: 200, serviceMs: 20 },
    { kind: 'keep-alive', clients: 10, thinkMs: 100, serviceMs: 10 },
  ],
});

const told: (readonly DatedEvent[])[] = [];
const done = new Map<string, number>();
for (let count = 0; count < Number(kills); count++) {
  const deed = DEEDS[count % DEEDS.length]!;
  await load.untilCalm(CALM);
  await rig.killDaemon();
  await rig.startDaemon();
  told.push(followEvents(rig));
  await act(deed, count);
  await load.untilAnswered(100);
  done.set(deed, (done.get(deed) ?? 0) + 1);
}
const report = await load.stop();

const exits = told.flat().flatMap(({ event, at }) => (event.type === 'instance-exited' ? [at] : []));
const crashes = crashesOf(readAccessLog(accessLog), exits);
const others = report.failures.filter((failure) => !judge(failure, crashes, report.lagMs).crash);
const refused = others.filter((failure) => failure.class === 'refused');
console.log(formatReport(report));
console.log(`${told.length} times the daemon was killed, and its guardian`);
console.log([...done].map(([deed, count]) => `${count} × ${deed}`).join(', '));
console.log(`refused: ${refused.length}`);
console.log(`failed in the hands of a process that crashed: ${report.failures.length - others.length}`);
console.log(`failed otherwise: ${others.length - refused.length}`);
for (const { client, id, class: kind, detail } of others.slice(0, 10))
  console.log(`  ${client} ${id}: ${kind} (${detail})`);

assert.equal(crashes.length, done.get('crash'), 'every crash was one');
assert.equal((await rig.service(SERVICE)).instances.length, 2);
assert.equal(others.length, 0);

async function act(deed: (typeof DEEDS)[number], count: number): Promise<void> {
  if (deed === 'crash') return crashOnce(count);
  const command =
    deed === 'reload' ? ['reload', SERVICE] : ['scale', SERVICE, deed === 'scale up' ? '4' : '2'];
  const { code, stderr } = await rig.cli(...command);
  assert.equal(code, 0, stderr);
}

/** Resolves when the attempt after it runs. */
async function crashOnce(count: number): Promise<void> {
  const { restarts } = await rig.service(SERVICE);
  await crash(port, WAYS_TO_CRASH[count % WAYS_TO_CRASH.length]!);
  await rig.until('it was started again', async () => {
    const now = await rig.service(SERVICE);
    return now.restarts > restarts && now.instances.every(({ status }) => status === 'running');
  });
}
