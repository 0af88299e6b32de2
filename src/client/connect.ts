/** Decides whether a daemon is started for a request: always, only to take services back, or never. */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { UpkeepError } from '../protocol/index.js';
import { Client, isSystemError } from './client.js';
import type { Home } from './home.js';

/** For changes: where no daemon answers, one is started. */
export function connectOrStart(home: Home): Client {
  return new Client(() => dial(home).catch((error: unknown) => startAndDial(home, error)));
}

/** For reading: a daemon is started only where services wait to be taken back; elsewhere see `isUnusedHome`. */
export function connectIfUsed(home: Home): Client {
  return new Client(() =>
    dial(home).catch((error: unknown) => {
      if (existsSync(home.state)) return startAndDial(home, error);
      throw isAbsence(error) ? unusedHome(home) : error;
    }),
  );
}

/** For looking at the daemon itself: none is ever started. */
export function connectOnly(home: Home): Client {
  return new Client(() => dialOnly(home));
}

/** Nothing was ever started there: a question about services has an empty answer, not an error. */
export function isUnusedHome(error: unknown): boolean {
  return error instanceof UpkeepError && error.details === UNUSED_HOME;
}

const UNUSED_HOME = 'unused-home';

async function startAndDial(home: Home, error: unknown): Promise<Socket> {
  if (!isAbsence(error)) throw error;
  const { reachableBootUnit, startBootUnit } = await import('./boot-unit.js');
  const unit = await reachableBootUnit(home);
  if (unit) await startBootUnit(unit, connectOnly(home));
  else await startOnDemand(home);
  return dialOnly(home);
}

async function startOnDemand(home: Home): Promise<void> {
  const { startDaemon } = await import('./launch.js');
  await startDaemon(home, connectOnly(home));
}

function dialOnly(home: Home): Promise<Socket> {
  return dial(home).catch((error: unknown) => {
    throw isAbsence(error) ? noDaemon(home) : error;
  });
}

/** The listener for errors stays: once connected, whoever reads the socket is told of them too. */
function dial({ socket: path }: Home): Promise<Socket> {
  return new Promise((onConnect, onError) => {
    const socket = connect(path, () => onConnect(socket));
    socket.on('error', (error) => onError(explain(error, path)));
  });
}

/** No socket, one that nobody listens to any more, or one whose listener has its hands full. */
function isAbsence(error: unknown): boolean {
  return isSystemError(error, ['ENOENT', 'ECONNREFUSED', 'EAGAIN']);
}

function explain(error: Error, path: string): Error {
  if (isAbsence(error)) return error;
  const fact = isSystemError(error, ['EACCES', 'EPERM'])
    ? `the socket "${path}" belongs to another user`
    : error.message;
  return new UpkeepError('daemon-unreachable', `Cannot reach the daemon: ${fact}`, {
    hint: 'run upkeep as the user who started the daemon, or set UPKEEP_HOME',
    cause: error,
  });
}

function noDaemon(home: Home): UpkeepError {
  return new UpkeepError('daemon-unreachable', `Cannot reach the daemon: none is running in "${home.path}"`, {
    hint: 'upkeep daemon start',
  });
}

function unusedHome(home: Home): UpkeepError {
  return new UpkeepError(
    'daemon-unreachable',
    `Cannot reach the daemon: none is running in "${home.path}", and no service was started there yet`,
    { hint: 'upkeep start <script>', details: UNUSED_HOME },
  );
}
