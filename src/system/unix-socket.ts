/** Unix sockets whose path may be longer than an address can hold (108 bytes). */
import { closeSync, constants, openSync } from 'node:fs';
import { connect, Socket, type OnReadOpts } from 'node:net';
import { basename, dirname } from 'node:path';

const MAX_BYTES = 100;

/** Calls with a path that can be connected to, which is valid during the call only. */
export function withSocketPath<T>(path: string, call: (path: string) => T): T {
  if (Buffer.byteLength(path) <= MAX_BYTES) return call(path);
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return call(`/proc/self/fd/${folder}/${basename(path)}`);
  } finally {
    closeSync(folder);
  }
}

/**
 * connect(2) itself happens before this returns, so the folder need not stay open. Never throws: the socket tells.
 * `onread`: what comes is read into a buffer of the caller's own, and there is no 'data'.
 */
export function connectUnix(path: string, onread?: OnReadOpts): Socket {
  try {
    return withSocketPath(path, (short) => connect({ path: short, ...(onread ? { onread } : {}) }));
  } catch (error) {
    return new Socket().destroy(error as Error); // the folder of a long path is gone
  }
}

/** Of a descriptor that this process has inherited. */
export function inheritedSocket(fd: number): Socket {
  const socket = new Socket({ fd, readable: true, writable: true });
  socket.on('error', () => undefined); // EPIPE, ECONNRESET: 'close' follows
  return socket;
}

/** Of an open socket, for a child that is to inherit it. */
export function descriptorOf(socket: Socket): number {
  return (socket as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}
