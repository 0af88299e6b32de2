/** Some minutes of load through nginx on a service that is reloaded and crashes, again and again. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, Rig } from '../../../test/rig/index.js';
import { readAccessLog } from '../support/access-log.js';
import { crash, WAYS_TO_CRASH } from '../support/crash.js';
import { crashesOf, type Crash } from '../crashes-refuse-nobody/judge.js';
import { Load, total, type Failure, type LoadReport } from '../load/index.js';
import type { Assignment, Manager } from './manager.js';
import { Nginx } from './nginx.js';

export interface Visit {
  readonly manager: string;
  readonly instances: number;
  readonly report: LoadReport;
  readonly reloads: number;
  readonly crashes: number;
  /** Commands that failed. */
  readonly complaints: readonly string[];
  /** On their way when a process crashed. */
  readonly atCrash: readonly Failure[];
  readonly otherwise: readonly Failure[];
}

const PAUSE_MS = 2000;

export async function visit(
  manager: string,
  start: (assignment: Assignment) => Promise<Manager>,
  { instances, ms }: { instances: number; ms: number },
): Promise<Visit> {
  await using rig = await Rig.create();
  const [port, frontPort] = [await freePort(), await freePort()];
  const accessLog = join(rig.folder, 'access.log');
  await using managed = await start({ rig, instances, port, accessLog });
  await using nginx = await Nginx.start(join(rig.folder, 'nginx'), frontPort, port);
  void nginx;
  await using load = await Load.start({ port: frontPort, clients: CLIENTS });
  const complaints: string[] = [];
  let reloads = 0;
  const until = performance.now() + ms;
  for (let round = 0; performance.now() < until || round < WAYS_TO_CRASH.length; round++) {
    await load.untilAnswered(20, undefined, 60_000);
    await managed.reload().catch((error: Error) => complaints.push(error.message));
    reloads++;
    await sleep(PAUSE_MS);
    await crash(port, WAYS_TO_CRASH[round % WAYS_TO_CRASH.length]!);
    await sleep(PAUSE_MS);
  }
  const report = await load.stop();
  const crashes = crashesOf(readAccessLog(accessLog));
  const isAtCrash = (failure: Failure): boolean => crashes.some((one) => meets(failure, one, report.lagMs));
  return {
    manager,
    instances,
    report,
    reloads,
    crashes: crashes.length,
    complaints,
    atCrash: report.failures.filter(isAtCrash),
    otherwise: report.failures.filter((failure) => !isAtCrash(failure)),
  };
}

const CLIENTS = [
  { kind: 'connections', perSecond: 100, serviceMs: 20 },
  { kind: 'keep-alive', clients: 10, thinkMs: 100, serviceMs: 10 },
  { kind: 'posts', clients: 3, thinkMs: 150, maxBytes: 64 * 1024 },
  { kind: 'downloads', clients: 3, thinkMs: 100, bytes: 32 * 1024 },
] as const;

/** nginx keeps its connections to the application, see crashes-refuse-nobody/judge.ts. */
function meets({ startedAt, endedAt }: Failure, { at, goneAt }: Crash, lagMs: number): boolean {
  return startedAt <= goneAt + lagMs && endedAt >= at;
}

export function countStatus(failures: readonly Failure[], status: string): number {
  return failures.filter((failure) => failure.class === 'wrong_status' && failure.detail === status).length;
}

export function requestsOf({ report }: Visit): number {
  return total(report.clients).started;
}
