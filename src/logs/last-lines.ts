/** Reads the last lines of a file from its end, whatever its size. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const BLOCK_BYTES = 64 * 1024;

/** Oldest first; [] where there is no such file. `end`: an offset in it; what comes later is left out. */
export function lastLines(path: string, count: number, end = Infinity): string[] {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return []; // nothing was written yet
  }
  try {
    return count <= 0 ? [] : readBackwards(fd, count, end);
  } finally {
    closeSync(fd);
  }
}

function readBackwards(fd: number, count: number, end: number): string[] {
  let start = Math.min(end, fstatSync(fd).size);
  let text = Buffer.alloc(0);
  let newlines = 0;
  // One more newline than lines: the one that ends the line before the first.
  while (start > 0 && newlines <= count) {
    const length = Math.min(BLOCK_BYTES, start);
    start -= length;
    const block = Buffer.alloc(length);
    readSync(fd, block, 0, length, start);
    for (const byte of block) if (byte === 0x0a) newlines++;
    text = Buffer.concat([block, text]);
  }
  const lines = text.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(-count);
}
