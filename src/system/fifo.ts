/** Reads a FIFO through epoll, without a thread of the pool; also to the last byte at a given moment. */
import { execFileSync } from 'node:child_process';
import { constants, existsSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';

export function createFifo(path: string): void {
  if (!existsSync(path)) execFileSync('mkfifo', ['-m', '600', path]);
}

export interface FifoReader {
  /**
   * Hands over what is in the pipe at this moment. Who calls it after the writer's exit was reported has everything
   * that the writer wrote.
   */
  drain(): void;
  close(): void;
}

/**
 * `onEnd`: the last writer has closed. With `keepOpen` there is always one, the reader itself: a FIFO that many
 * short-lived writers share never ends.
 */
export function openFifo(
  path: string,
  onChunk: (chunk: Buffer) => void,
  options: { onEnd?: () => void; keepOpen?: boolean } = {},
): FifoReader {
  const access = options.keepOpen ? constants.O_RDWR : constants.O_RDONLY;
  const fd = openSync(path, access | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  let isOpen = true;
  socket.on('data', onChunk);
  // The descriptor is closed some time before 'close' is told, and its number may be somebody else's by then.
  const end = (): void => {
    isOpen = false;
    options.onEnd?.();
  };
  socket.on('end', end);
  socket.on('error', end);
  return {
    drain: () => {
      if (isOpen) drainNow(fd, onChunk);
    },
    close: () => {
      isOpen = false;
      socket.destroy();
    },
  };
}

function drainNow(fd: number, onChunk: (chunk: Buffer) => void): void {
  for (;;) {
    const buffer = Buffer.allocUnsafe(65_536);
    let length: number;
    try {
      length = readSync(fd, buffer);
    } catch {
      return; // EAGAIN: empty
    }
    if (length === 0) return;
    onChunk(buffer.subarray(0, length));
  }
}
