/** A part of a file, in chunks. Not a stream of Node's: those close the file when they are given up, whatever they were told. */
import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;

export async function* readRange(file: FileHandle, start = 0, end = Infinity): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const length = Math.min(CHUNK_BYTES, end - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
