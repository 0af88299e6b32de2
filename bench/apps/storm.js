// storm.js LINES FOLDER NAME: says in FOLDER/ready.NAME that it is there; when FOLDER/go exists, LINES lines of 100 bytes as fast as
// stdout takes them, then the times of begin and end in FOLDER/done.NAME. Lives until FOLDER/over exists, or it is stopped.
const fs = require('node:fs');
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
    fs.writeFileSync(`${folder}/new.${name}`, `${begunAt} ${Date.now()}`);
    fs.renameSync(`${folder}/new.${name}`, `${folder}/done.${name}`);
  });
}

fs.writeFileSync(`${folder}/ready.${name}`, '\n');
setInterval(() => {
  if (fs.existsSync(`${folder}/over`)) process.exit();
  if (begunAt || !fs.existsSync(`${folder}/go`)) return;
  begunAt = Date.now();
  go();
}, 20);
