/** A FIFO that many short-lived writers share, read through epoll, without a thread of the pool. */
import { execFileSync } from 'node:child_process';
import { constants, existsSync, openSync } from 'node:fs';
import { Socket } from 'node:net';

export function createFifo(path: string): void {
  if (!existsSync(path)) execFileSync('mkfifo', ['-m', '600', path]);
}

export interface FifoReader {
  close(): void;
}

/** It never ends: there is always one who could write, the reader itself. */
export function openFifo(path: string, onChunk: (chunk: Buffer) => void): FifoReader {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('data', onChunk);
  socket.on('error', () => undefined); // nobody reads any more: the next daemon asks the journals
  return { close: () => void socket.destroy() };
}
