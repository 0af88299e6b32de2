// in-turn.mjs RUNS COMMAND_LINE: runs `node -e 0` and the command in turn, so that both meet the same moments of a noisy
// machine; prints the two medians in ms and the median of the ratios of neighbours.
import { spawnSync } from 'node:child_process';

const [runs, line] = process.argv.slice(2);
const bare = ['node', '-e', '0'];
const command = line.split(' ');

time(bare);
time(command);
const pairs = Array.from({ length: Number(runs) }, () => ({ bare: time(bare), command: time(command) }));
const ratio = median(pairs.map((pair) => pair.command / pair.bare));
console.log(median(pairs.map((pair) => pair.bare)), median(pairs.map((pair) => pair.command)), ratio);

function time([program, ...args]) {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) console.error(`${program} ended with ${status}: ${stderr}`);
  return performance.now() - startedAt;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
