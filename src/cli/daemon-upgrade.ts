/** Lets another installation of upkeep take over from the daemon that runs. */
import { resolve } from 'node:path';
import { connectOnly, ownPackage, type Home } from '../client/index.js';
import { UpkeepError, type UpgradeView } from '../protocol/index.js';
import { parseDuration } from '../util/index.js';
import { usageError } from './arguments.js';
import { wordUpgrade } from './output/daemon.js';
import { print, printJson } from './output/print.js';

const DEFAULT_TIMEOUT = '15s';

export interface DaemonUpgradeOptions {
  readonly json?: boolean | undefined;
  readonly to?: string | undefined;
  readonly timeout?: string | undefined;
}

export async function upgradeDaemon(
  home: Home,
  { json, to, timeout = DEFAULT_TIMEOUT }: DaemonUpgradeOptions,
): Promise<number> {
  const timeoutMs = parseDuration(timeout);
  if (!timeoutMs) throw usageError('daemon', `"${timeout}" is no time`);
  const root = to === undefined ? ownPackage().root : resolve(to);
  const upgraded = await request(home, { root, node: process.execPath, timeoutMs });
  if (json) printJson(upgraded);
  else print(wordUpgrade(upgraded));
  return 0;
}

async function request(
  home: Home,
  body: { root: string; node: string; timeoutMs: number },
): Promise<UpgradeView> {
  try {
    // The daemon itself limits how long each step may take.
    return await connectOnly(home).call('upgradeDaemon', { body, anyProtocol: true, timeoutMs: 0 });
  } catch (error) {
    if (error instanceof UpkeepError && error.code === 'route-not-found') throw tooOld();
    throw error;
  }
}

function tooOld(): UpkeepError {
  return new UpkeepError('unsupported', 'Cannot upgrade the daemon in place: its version cannot hand over', {
    hint: 'replace it, services go on running: upkeep daemon stop && upkeep daemon start',
  });
}
