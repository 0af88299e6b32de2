// storm.js LINES FOLDER NAME: when FOLDER/go exists, LINES lines of 100 bytes as fast as stdout takes them, then the times of
// begin and end in FOLDER/NAME. It honours what write() answers, and stays alive.
import { existsSync, renameSync, writeFileSync } from 'node:fs';

const [lines, folder, name] = process.argv.slice(2);
const total = Number(lines);
const rest = '.'.repeat(100);
let begunAt;
let count = 0;

function go() {
  while (count < total) {
    const head = `${name} ${String(count++).padStart(8, '0')} `;
    if (!process.stdout.write(`${head}${rest.slice(0, 99 - head.length)}\n`))
      return process.stdout.once('drain', go);
  }
  process.stdout.write('', () => {
    writeFileSync(`${folder}/${name}.new`, `${begunAt} ${Date.now()}`);
    renameSync(`${folder}/${name}.new`, `${folder}/${name}`);
  });
}

const timer = setInterval(() => {
  if (begunAt || !existsSync(`${folder}/go`)) return;
  begunAt = Date.now();
  go();
}, 10);
process.on('SIGTERM', () => clearInterval(timer));
