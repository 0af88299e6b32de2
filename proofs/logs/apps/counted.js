// Numbers its lines on stdout and stderr, twenty thousand a second, and keeps for each stream how many it has written: at
// REPORTS/<service>.<instance>.<stream>, where the disk is never full.
import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const { REPORTS, UPKEEP_SERVICE, UPKEEP_INSTANCE } = process.env;
const origin = `${UPKEEP_SERVICE}.${UPKEEP_INSTANCE}`;
const streams = [
  { fd: 1, name: 'out', lines: 180, next: 0 },
  { fd: 2, name: 'err', lines: 20, next: 0 },
];

setInterval(() => {
  for (const stream of streams) say(stream);
}, 10);
process.on('SIGTERM', () => {
  for (const { name, next } of streams) writeFileSync(join(REPORTS, `${origin}.${name}`), String(next));
  process.exit();
});

function say(stream) {
  let text = '';
  for (let i = 0; i < stream.lines; i++)
    text += `${origin}.${stream.name} ${stream.next++} ${'x'.repeat(70)}\n`;
  for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(stream.fd, rest));
}
