// storm.mjs FOLDER WRITERS [COMMAND_LINE]: lets apps/storm.js go, runs the command again and again until all are done; prints how
// long they took, and the median and the longest time of the command, in ms. Without one `node -e 0` disturbs as much.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder, writers, line] = process.argv.slice(2);
const [program, ...args] = line ? line.split(' ') : ['node', '-e', '0'];
const times = [];
const done = () => readdirSync(folder).filter((name) => name.startsWith('done.'));

writeFileSync(`${folder}/go`, '');
do {
  const startedAt = performance.now();
  await once(spawn(program, args, { stdio: 'ignore', detached: true }), 'exit');
  times.push(performance.now() - startedAt);
  await sleep(20);
} while (done().length < Number(writers));

const marks = done().map((name) => readFileSync(`${folder}/${name}`, 'utf8').split(' ').map(Number));
const wall = Math.max(...marks.map(([, end]) => end)) - Math.min(...marks.map(([begin]) => begin));
times.sort((one, other) => one - other);
console.log(wall, times[Math.floor(times.length / 2)], times.at(-1));
