/** Ends the daemon and waits until its process is gone, so that whoever comes next finds the lock free. */
import { setTimeout as delay } from 'node:timers/promises';
import { UpkeepError, type DaemonView } from '../protocol/index.js';
import { stopBootUnit, unitOfDaemon, type BootUnit } from './boot-unit.js';
import { connectOnly } from './connect.js';
import type { Home } from './home.js';
import { isLocked } from './lock.js';

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

async function waitUntilGone(home: Home, pid: number): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (await isLocked(home)) {
    if (performance.now() > deadline) {
      throw new UpkeepError('daemon-unreachable', `Cannot stop the daemon: pid ${pid} is still alive`, {
        hint: `what it waits for stands in ${home.log}`,
      });
    }
    await delay(PAUSE_MS);
  }
}
