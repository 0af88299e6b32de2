/**
 * A service that crashes 100 times under load refuses no connection and fails only what it had in hand.
 *
 * One instance of an ordinary Express 5 application, 200 new connections a second and clients that keep theirs. It is
 * made to crash by a request: process.exit(), an exception, SIGKILL, in turn. Which failures a crash explains is decided by
 * crashes-refuse-nobody/judge.ts, from what the application had written down when it died.
 */
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertSucceeded, freePort, Rig } from '../../test/rig/index.js';
import { readAccessLog } from './support/access-log.js';
import { crash, WAYS_TO_CRASH, type WayToCrash } from './support/crash.js';
import { crashesOf, judge, type Verdict } from './crashes-refuse-nobody/judge.js';
import { followEvents } from './support/dated-events.js';
import { formatReport, quantileMs } from './support/figures.js';
import { install } from './support/install.js';
import { Load } from './load/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const crashCount = Math.max(3, Math.round(100 * Number(values.scale)));
const SERVICE = 'shop';
/** A crash meets a service that has caught up with the one before, and has worked for a while. */
const CALM = 50;
const LIVE_MS = 400;

const cwd = await install({ source: 'apps/express5' });
await using rig = await Rig.create();
const port = await freePort();
const accessLog = join(rig.folder, 'access.log');
assertSucceeded(
  await rig.up({
    [SERVICE]: {
      script: 'server.js',
      cwd,
      port,
      env: { PORT: port, NODE_ENV: 'production', ACCESS_LOG: accessLog },
      // Crashes that are wanted are no crash loop, and wait for nothing.
      restart: { delay: '1ms', maxDelay: '1ms', limit: 1_000_000 },
    },
  }),
);

const events = followEvents(rig);
await using load = await Load.start({
  port,
  clients: [
    { kind: 'connections', perSecond: 200, serviceMs: 20 },
    { kind: 'keep-alive', clients: 10, thinkMs: 100, serviceMs: 10 },
  ],
});
const outageMs: number[] = [];
for (let count = 0; count < crashCount; count++) {
  await load.untilCalm(CALM);
  await sleep(LIVE_MS);
  outageMs.push(await crashOnce(WAYS_TO_CRASH[count % WAYS_TO_CRASH.length]!));
}
await load.untilAnswered(100);
const report = await load.stop();

const exits = events.flatMap(({ event, at }) => (event.type === 'instance-exited' ? [at] : []));
const crashes = crashesOf(readAccessLog(accessLog), exits);
const verdicts = report.failures.map((failure) => judge(failure, crashes, report.lagMs));
const unexplained = verdicts.filter(({ crash }) => !crash);
const restarts = (await rig.service(SERVICE)).restarts;
console.log(formatReport(report));
console.log(
  `\n${crashes.length} crashes: ${WAYS_TO_CRASH.map((how) => `${countCrashes(how)} × ${how}`).join(', ')}`,
);
console.log(`restarts by upkeep: ${restarts}`);
console.log(
  `from the crash to the next attempt: median ${quantileMs(outageMs, 0.5)}, longest ${quantileMs(outageMs, 1)}`,
);
console.log(`refused: ${report.failures.filter((failure) => failure.class === 'refused').length}`);
console.log(
  `failed in the hands of the process that crashed: ${verdicts.length - unexplained.length}, ` +
    `${countLate()} of them sent over a kept connection before its end could be known`,
);
console.log(`failed otherwise: ${unexplained.length}`);
for (const verdict of unexplained.slice(0, 10)) console.log(`  ${word(verdict)}`);
if (unexplained.length > 0 || crashes.length !== crashCount || restarts !== crashCount) process.exitCode = 1;

/** Resolves when another process lives; answers how long that took, milliseconds. */
async function crashOnce(how: WayToCrash): Promise<number> {
  const { attempt } = await rig.instance(SERVICE);
  const startedAt = performance.now();
  await crash(port, how);
  await rig.untilInstance(SERVICE, (now) => now.attempt > attempt && now.status === 'running');
  return performance.now() - startedAt;
}

function countCrashes(how: string): number {
  return crashes.filter((one) => one.how === how).length;
}

function countLate(): number {
  return verdicts.filter(({ isLate }) => isLate).length;
}

function word({ failure, why }: Verdict): string {
  const { client, id, class: kind, detail, startedAt, endedAt } = failure;
  return `${client} ${id}: ${kind} (${detail}), ${Math.round(endedAt - startedAt)} ms after its start: ${why}`;
}
