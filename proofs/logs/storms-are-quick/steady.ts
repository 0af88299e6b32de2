/** Many services that write a little all the time: what they cost who keeps them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Peer } from './peer.js';
import { difference, processorTime } from './usage.js';

const SERVICES = 200;
/** Perl is in every Debian, and small enough to be there 200 times. */
const COMMAND = ['/usr/bin/perl', fileURLToPath(new URL('../apps/steady.pl', import.meta.url))];
const SETTLE_MS = 8000;
const SECONDS = 15;

/** Processor time in ms/s, by peer and kind of process. */
export async function steady(peers: readonly Peer[]): Promise<Map<string, Map<string, number>>> {
  const used = new Map<string, Map<string, number>>();
  for (const peer of peers) {
    try {
      await peer.start(
        Array.from({ length: SERVICES }, (_, index) => ({ name: `s${index}`, command: COMMAND })),
      );
      await sleep(SETTLE_MS);
      const before = processorTime(peer);
      await sleep(SECONDS * 1000);
      const times = [...difference(processorTime(peer), before)];
      used.set(peer.name, new Map(times.map(([kind, ms]) => [kind, ms / SECONDS])));
    } finally {
      await peer.stop();
    }
  }
  return used;
}
