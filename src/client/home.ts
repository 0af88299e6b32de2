/** The folder of one daemon and the names of what lies in it. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UpkeepError } from '../protocol/index.js';

export interface Home {
  readonly path: string;
  readonly socket: string;
  readonly lock: string;
  readonly log: string;
  /** Exists once something was started here: the services to take back. */
  readonly state: string;
  /** Exists once systemd was told to start its daemon: the unit. */
  readonly bootUnit: string;
}

/** What `sun_path` holds, without its final zero byte. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

export function homeFrom(env: NodeJS.ProcessEnv): Home {
  const path = resolve(env['UPKEEP_HOME'] || join(homedir(), '.upkeep'));
  const home = {
    path,
    socket: join(path, 'daemon.sock'),
    lock: join(path, 'daemon.lock'),
    log: join(path, 'daemon.log'),
    state: join(path, 'state.json'),
    bootUnit: join(path, 'boot.json'),
  };
  validateSocketPath(home);
  return home;
}

function validateSocketPath({ path, socket }: Home): void {
  const bytes = Buffer.byteLength(socket);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return;
  throw new UpkeepError(
    'usage',
    `Cannot use the home "${path}": its socket path has ${bytes} bytes, the system allows ${MAX_SOCKET_PATH_BYTES}`,
    { hint: 'set UPKEEP_HOME to a shorter path' },
  );
}
