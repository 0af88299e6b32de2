/**
 * Storms of a million lines: none is lost, the application is about as quick as piped into `cat`, and `list` answers.
 *
 * One writer of 1,000,000 lines of 100 bytes and ten of 200,000, in turn with `cat >file`, PM2 (from npm) and supervisord (where it is
 * installed), in the same run. Then 200 services with 100 lines a second beside PM2's. `--only cat,upkeep` leaves peers out.
 */
import { parseArgs } from 'node:util';
import { cat } from './storms-are-quick/cat.js';
import { pm2 } from './storms-are-quick/pm2.js';
import { report, verdict } from './storms-are-quick/report.js';
import { steady } from './storms-are-quick/steady.js';
import { storm, type Outcome, type Storm } from './storms-are-quick/storm.js';
import { supervisor } from './storms-are-quick/supervisor.js';
import type { Peer } from './storms-are-quick/peer.js';
import { upkeep } from './storms-are-quick/upkeep.js';

/** They are needed to say anything about time. */
const ROUNDS = 5;
const STORMS: readonly Storm[] = [
  { writers: 1, lines: 1_000_000 },
  { writers: 10, lines: 200_000 },
];
const PEERS: Readonly<Record<string, () => Peer | null | Promise<Peer>>> = { cat, upkeep, pm2, supervisor };

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const scale = Number(values.scale);
/** Short forms show that nothing is lost; that they are quick is shown by the whole, on a quiet machine. */
const isWhole = scale === 1;
const rounds = Number(values.rounds ?? (isWhole ? ROUNDS : 1));
const peers = values.only?.split(',') ?? (isWhole ? Object.keys(PEERS) : ['cat', 'upkeep']);
const failures: string[] = [];

for (const { writers, lines } of STORMS) {
  const scaled = { writers, lines: Math.max(1000, Math.round(lines * scale)) };
  const outcomes = new Map<string, Outcome[]>();
  for (let round = 0; round < rounds; round++)
    for (const name of peers) {
      const peer = await PEERS[name]!();
      if (peer) outcomes.set(peer.name, [...(outcomes.get(peer.name) ?? []), await storm(peer, scaled)]);
      else if (round === 0) console.log(`${name} is not installed: left out`);
    }
  console.log(`\n${writers} × ${scaled.lines} lines, ${rounds} rounds in turn`);
  console.log(report(outcomes));
  failures.push(...verdict(outcomes, { ...scaled, isTimed: isWhole }));
}
if (isWhole) {
  const used = await steady(peers.includes('pm2') ? [await upkeep(), pm2()] : [await upkeep()]);
  console.log('\n200 services × 100 lines/s: processor time of all that is added, ms/s');
  for (const [name, times] of used)
    console.log(
      `  ${name.padEnd(8)} ${[...times].map(([kind, ms]) => `${kind} ${ms.toFixed(0)}`).join(', ')}`,
    );
  const daemon = (name: string): number => used.get(name)?.get('daemon') ?? Infinity;
  if (daemon('upkeep') >= daemon('PM2')) failures.push('200 steady services cost the daemon more than PM2');
}
for (const failure of failures) console.log(`NOT: ${failure}`);
const good = isWhole
  ? 'every line is there, and quick'
  : 'every line is there; how quick, only the whole proof judges';
console.log(failures.length === 0 ? `\n${good}` : '\nit does not hold');
process.exitCode = failures.length === 0 ? 0 : 1;
