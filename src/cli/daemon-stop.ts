/** Ends the daemon and waits until its process is gone, so that whoever comes next finds the lock free. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  connectOnly,
  discourageGuardian,
  isAnswering,
  isLocked,
  type Client,
  type Home,
} from '../client/index.js';
import { UpkeepError } from '../protocol/index.js';
import { requestOperation } from './operation.js';
import { wordDaemonEnd } from './output/daemon.js';
import { note, print, printJson } from './output/print.js';

const DEADLINE_MS = 15_000;
const PAUSE_MS = 20;

export interface DaemonStopOptions {
  readonly json?: boolean | undefined;
  readonly withServices?: boolean | undefined;
}

export async function stopDaemon(home: Home, { json, withServices }: DaemonStopOptions): Promise<number> {
  const client = connectOnly(home);
  if (!(await isThere(home, client))) return printAbsence(home, json);
  if (withServices) {
    const exitCode = await stopServices(client);
    if (exitCode !== 0) return exitCode;
  }
  const daemon = await client.call('stopDaemon', { anyProtocol: true });
  await waitUntilGone(home, daemon.pid);
  if (json) printJson({ running: false, ...daemon });
  else print(wordDaemonEnd(daemon));
  return 0;
}

/** One that comes up, by itself or through its guardian, is waited for; one that only might come, does not. */
async function isThere(home: Home, client: Client): Promise<boolean> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isAnswering(client))) {
    if (!(await isLocked(home))) {
      discourageGuardian(home);
      if (!(await isLocked(home))) return false;
    }
    if (performance.now() > deadline)
      throw notStopped(home, 'it has the lock of its home, and does not answer');
    await delay(PAUSE_MS);
  }
  return true;
}

async function stopServices(client: Client): Promise<number> {
  const services = await client.call('services');
  return services.length === 0 ? 0 : requestOperation({ kind: 'stop', services: 'all' }, {}, client);
}

async function waitUntilGone(home: Home, pid: number): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (await isLocked(home)) {
    if (performance.now() > deadline) throw notStopped(home, `pid ${pid} is still alive`);
    await delay(PAUSE_MS);
  }
}

function notStopped(home: Home, fact: string): UpkeepError {
  return new UpkeepError('daemon-unreachable', `Cannot stop the daemon: ${fact}`, {
    hint: `what it waits for stands in ${home.log}`,
  });
}

function printAbsence(home: Home, json = false): number {
  if (json) printJson({ running: false, home: home.path });
  else note(`The daemon is not running (home ${home.path})`);
  return 0;
}
