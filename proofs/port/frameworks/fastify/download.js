import { crc32 } from 'node:zlib';

const CHUNKS = 8;

/** A text that comes over a time, with its sum as its end. */
export async function* download({ bytes = 65536, ms = 0 }) {
  const text = Buffer.alloc(bytes - 8, 'the quick brown fox jumps over the lazy dog. ');
  text.write(`pid ${process.pid} `);
  const step = Math.ceil(text.length / CHUNKS);
  for (let sent = 0; sent < text.length; sent += step) {
    yield text.subarray(sent, sent + step);
    await new Promise((resolve) => setTimeout(resolve, ms / CHUNKS));
  }
  yield Buffer.from(crc32(text).toString(16).padStart(8, '0'));
}
