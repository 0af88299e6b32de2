/** Ends the daemon and waits until its process is gone, so that whoever comes next finds the lock free. */
import { setTimeout as delay } from 'node:timers/promises';
import { UpkeepError, type DaemonView } from '../protocol/index.js';
import { stopBootUnit, unitOfDaemon, type BootUnit } from './boot-unit.js';
import { isAnswering } from './client.js';
import { connectOnly } from './connect.js';
import type { Home } from './home.js';
import { discourageGuardian, isLocked } from './lock.js';

const DEADLINE_MS = 15_000;
const PAUSE_MS = 20;

export interface EndedDaemon {
  readonly daemon: DaemonView;
  /** The unit that was stopped with it. */
  readonly unit: BootUnit | undefined;
}

export async function endDaemon(home: Home): Promise<EndedDaemon> {
  const client = connectOnly(home);
  const daemon = await client.call('daemon', { anyProtocol: true });
  const unit = await unitOfDaemon(home, daemon.pid);
  if (unit) await stopBootUnit(unit);
  else await client.call('stopDaemon', { anyProtocol: true });
  await waitUntilGone(home, daemon.pid);
  return { daemon, unit };
}

/** One that comes up, by itself or through its guardian, is waited for; one that only might come, does not. */
export async function isDaemonThere(home: Home): Promise<boolean> {
  const client = connectOnly(home);
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
