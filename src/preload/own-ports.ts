/**
 * Ports that processes of this attempt have opened by themselves. upkeep holds such a socket beyond its process, and lets it go when it
 * hears of another process in that one's place (a wrapper, nodemon, has started it again): a listen() that comes before that waits,
 * where Node would fail with EADDRINUSE.
 */
import { attempt } from './attempt.js';
import type { Channel } from './channel.js';
import { createServerHandle } from './held-sockets.js';
import type { Handle, Place } from './internals.js';
import { fs } from './node.js';
import { now } from './timers.js';

/** As long as that: whoever else has taken the port meanwhile is told by Node. */
const LONGEST_MS = 2000;
const PAUSE_MS = 5;
const EADDRINUSE = -98;

export class OwnPorts {
  private readonly channel: Channel;

  constructor(channel: Channel) {
    this.channel = channel;
  }

  note(port: number): void {
    const path = this.pathOf(port);
    if (path !== null) fs.writeFileSync(path, String(process.pid));
  }

  /** Returns when the place can be had, as far as it was one of a process that is gone. */
  awaitFree(place: Place): void {
    const { port } = place;
    if (!port || port < 0 || !this.wasOfTheGone(port) || !isTaken(place)) return;
    this.channel.say('blocked', process.pid, port);
    for (const end = now() + LONGEST_MS; isTaken(place) && now() < end;) pause();
  }

  private wasOfTheGone(port: number): boolean {
    const path = this.pathOf(port);
    const pid = path !== null && attempt(() => fs.readFileSync(path, 'utf8'));
    return Boolean(pid) && pid !== String(process.pid) && !isLiving(String(pid));
  }

  private pathOf(port: number): string | null {
    return this.channel.pathOf(`own.${port}`);
  }
}

/** By binding alone, which refuses nobody. libuv keeps the error of it for whatever is asked next. */
function isTaken({ address, port }: Place): boolean {
  const handle = bind(address, port);
  if (typeof handle === 'number') return handle === EADDRINUSE;
  const error = handle.getsockname?.({});
  handle.close();
  return error === EADDRINUSE;
}

function bind(address: string | null, port: number | null): Handle | number {
  if (address !== null) return createServerHandle(address, port, address.includes(':') ? 6 : 4);
  const any = createServerHandle('::', port, 6);
  return typeof any === 'number' && any !== EADDRINUSE ? createServerHandle('0.0.0.0', port, 4) : any;
}

/** Not even to be waited for by whoever started it. */
function isLiving(pid: string): boolean {
  const stat = attempt(() => fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat !== undefined && !/\) [ZX] [^)]*$/.test(stat);
}

/** This thread has nothing else to do. Without shared memory (before Node 8) it does not rest. */
function pause(): void {
  if (typeof SharedArrayBuffer === 'function' && typeof Atomics === 'object')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
