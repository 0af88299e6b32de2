// Writes 10 MB/s in lines of 100 bytes, each write to its end before the next one, and says every second, in REPORT,
// how many bytes it has written and how long the slowest write took.
import { appendFileSync, writeSync } from 'node:fs';

const BYTES_PER_SECOND = 10e6;
const SLICE = Buffer.from(`${'x'.repeat(99)}\n`.repeat(500));
const startedAt = performance.now();
let written = 0;
let slowestMs = 0;
let seconds = 0;

setInterval(() => {
  const passed = (performance.now() - startedAt) / 1000;
  while (written < passed * BYTES_PER_SECOND) written += writeFully(SLICE);
  if (Math.floor(passed) === seconds) return;
  seconds = Math.floor(passed);
  appendFileSync(process.env.REPORT, `${written} ${Math.round(slowestMs)}\n`);
  slowestMs = 0;
}, 5);

function writeFully(bytes) {
  const begunAt = performance.now();
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(1, rest));
  slowestMs = Math.max(slowestMs, performance.now() - begunAt);
  return bytes.length;
}
