// missing-lines.mjs WRITERS LINES FILE...: how many lines of apps/storm.js are not in the files, or not whole.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

const [writers, lines, ...files] = process.argv.slice(2);
const seen = new Set();

for (const file of files) {
  const bytes = createReadStream(file);
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  for await (const line of createInterface({ input }))
    if (line.length === 99 && /^w\d+ \d{8} \.+$/.test(line)) seen.add(line.slice(0, line.indexOf('.')));
}
console.log(writers * lines - seen.size);
