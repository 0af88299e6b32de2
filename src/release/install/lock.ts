/**
 * One at a time, over all processes of this host, for a path. The kernel keeps the lock, as a socket in its abstract namespace, which
 * is gone with whoever held it; who waits is told at once by the end of a connection. Where two do not see each other (containers
 * with networks of their own), both go on: what they do must bear it.
 */
import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { platform } from 'node:os';
import { deferred } from '../../util/index.js';

export async function withLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (platform() !== 'linux') return work();
  const server = await acquire(`\0upkeep-${createHash('sha256').update(path).digest('hex')}`, signal);
  try {
    return await work();
  } finally {
    server.close();
    for (const wake of server.waiting) wake();
  }
}

type Held = Server & { readonly waiting: Set<() => void> };

async function acquire(name: string, signal: AbortSignal): Promise<Held> {
  for (;;) {
    signal.throwIfAborted();
    const held = await tryAcquire(name);
    if (held) return held;
    await untilFree(name, signal);
  }
}

/** undefined: somebody else has it. */
function tryAcquire(name: string): Promise<Held | undefined> {
  const { promise, resolve, reject } = deferred<Held | undefined>();
  const waiting = new Set<() => void>();
  const server = createServer((socket) => {
    const wake = (): void => void socket.destroy();
    waiting.add(wake);
    socket.on('error', () => undefined).once('close', () => waiting.delete(wake));
  });
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') resolve(undefined);
    else reject(error);
  });
  server.listen(name, () => resolve(Object.assign(server, { waiting })));
  return promise;
}

/** The connection ends when the holder is done, or dies; it is refused where that has happened already. */
function untilFree(name: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = deferred();
  const socket = connect(name);
  const end = (): void => void socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  socket.on('error', () => undefined).resume();
  socket.once('close', () => {
    signal.removeEventListener('abort', end);
    resolve();
  });
  return promise;
}
