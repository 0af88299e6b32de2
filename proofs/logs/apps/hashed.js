// Writes BYTES in numbered lines of about 100 bytes as fast as they are taken, nine of ten to stdout and one to stderr, each
// write to its end, and says in REPORT, when all is written, what the SHA-256 of each stream is.
import { createHash } from 'node:crypto';
import { writeFileSync, writeSync } from 'node:fs';

const LINES_AT_A_TIME = 400;
const streams = [
  { fd: 1, name: 'out', hash: createHash('sha256'), bytes: 0, next: 0 },
  { fd: 2, name: 'err', hash: createHash('sha256'), bytes: 0, next: 0 },
];
const wanted = Number(process.env.BYTES);
for (let turn = 0, written = 0; written < wanted; turn++) written += write(streams[turn % 10 === 0 ? 1 : 0]);
const report = streams.map(({ name, hash, bytes, next }) => [
  name,
  { sha256: hash.digest('hex'), bytes, lines: next },
]);
writeFileSync(process.env.REPORT, JSON.stringify(Object.fromEntries(report)));
setInterval(() => {}, 1e9);

function write(stream) {
  let text = '';
  // Numbers that look random, so that it can be compressed about as well as a real log.
  for (let i = 0; i < LINES_AT_A_TIME; i++) {
    const number = stream.next++;
    const noise = ((number * 2654435761) >>> 0).toString(36);
    text += `${stream.name} ${number} GET /orders/${noise}/items 200 ${number % 977} ms agent=${noise.slice(0, 3)} ${'.'.repeat(number % 40)}\n`;
  }
  const bytes = Buffer.from(text);
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(stream.fd, rest));
  stream.hash.update(bytes);
  stream.bytes += bytes.length;
  return bytes.length;
}
