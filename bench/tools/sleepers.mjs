// sleepers.mjs SECONDS SINCE_MS: how many `sleep SECONDS` live, and how long after SINCE_MS (uptime) the last began.
import { readdirSync, readFileSync } from 'node:fs';

const [seconds, sinceMs] = process.argv.slice(2);
const TICK_MS = 10;
let count = 0;
let lastMs = 0;
for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] !== seconds) continue;
    const startTicks = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[19];
    count++;
    lastMs = Math.max(lastMs, Number(startTicks) * TICK_MS);
  } catch {
    continue; // it ended meanwhile
  }
}
console.log(count, lastMs - Number(sinceMs));
