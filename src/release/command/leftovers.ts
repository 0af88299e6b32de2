/**
 * Commands of a release carry its folder in their environment, and so does whatever they start: a killed worker leaves an installer
 * behind that would go on writing, and a hook may have left its process group.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ReleaseStage } from '../../protocol/index.js';
import {
  findByEnvironment,
  isAlive,
  readEnvironment,
  sendSignal,
  type ProcessId,
} from '../../system/index.js';

/** Names the folder that a command works in. Not told to services. */
export const WORKS_IN = 'UPKEEP_RELEASE_WORKS_IN';
/** Differs for each command. */
export const COMMAND_ID = 'UPKEEP_RELEASE_COMMAND_ID';

const LOOK_AGAIN_MS = 10;
const ROUNDS = 300;

/** Ends whatever still works in the folder, at a stage or at all; resolves when nothing does any more. */
export function endLeftovers(folder: string, stage?: ReleaseStage): Promise<void> {
  return endAll(`${WORKS_IN}=${folder}`, stage);
}

/** SIGKILL, until a look finds nobody: what is killed may have forked in the meantime. */
export async function endAll(entry: string, stage?: ReleaseStage): Promise<void> {
  const isMeant = ({ pid }: ProcessId): boolean =>
    pid !== process.pid && (stage === undefined || readEnvironment(pid)?.UPKEEP_RELEASE_STAGE === stage);
  for (let round = 0; round < ROUNDS; round++) {
    const living = findByEnvironment(entry).filter((row) => isMeant(row) && isAlive(row));
    if (living.length === 0) return;
    for (const row of living) sendSignal(row, 'SIGKILL');
    await delay(LOOK_AGAIN_MS);
  }
}
