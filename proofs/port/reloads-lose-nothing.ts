/**
 * 100 reloads and 50 restarts under a million requests of seven kinds lose none of them, with one instance and with two.
 *
 * The services are an Express 5 application with WebSockets and a plain Node.js one with HTTP/2 over TLS; then gunicorn
 * and a server in C, which take LISTEN_FDS, are reloaded as often. Nothing may be refused, reset, truncated or answered
 * wrongly, on no connection, new or kept. Streams without an end are cut, but not before the drain deadline of their
 * process.
 *
 * Clients that keep their connection ask again well before a drain would close it. One that is silent for longer may send
 * its next request at the moment at which its connection is closed; HTTP/1.1 has no remedy for that, and a server that
 * closes idle connections by itself, as Node.js does after 5 s, has the same race.
 */
import { parseArgs } from 'node:util';
import { printOutcome, type Outcome } from './support/campaign.js';
import { reloadC, reloadGunicorn, reloadIdle, reloadNode } from './reloads-lose-nothing/services.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string', multiple: true } },
});
const scale = Number(values.scale);
const [reloads, restarts] = [count(100), count(50)];
const requests = Math.round((1_000_000 * scale) / 2);

const CAMPAIGNS: Record<string, () => Promise<Outcome>> = {
  'one instance': () => reloadNode(1, { reloads, restarts, requests }),
  'two instances': () => reloadNode(2, { reloads, restarts, requests }),
  'idle connections': () => reloadIdle({ reloads: count(20), restarts: 0 }),
  gunicorn: () => reloadGunicorn({ reloads, restarts: 0 }),
  C: () => reloadC({ reloads, restarts: 0 }),
};

const outcomes: Outcome[] = [];
for (const [title, campaign] of Object.entries(CAMPAIGNS)) {
  if (values.only && !values.only.includes(title)) continue;
  const outcome = await campaign();
  printOutcome(title, outcome);
  outcomes.push(outcome);
}

const clients = outcomes.flatMap(({ report }) => Object.values(report.clients));
const sum = (of: (client: (typeof clients)[number]) => number): number =>
  clients.reduce((all, client) => all + of(client), 0);
const problems = outcomes.flatMap((outcome) => outcome.problems);
console.log(
  `\n${sum(({ started }) => started)} requests: ` +
    (['refused', 'reset', 'reused_reset', 'truncated', 'hung', 'wrong_status', 'wrong_body'] as const)
      .map((kind) => `${sum(({ failures }) => failures[kind] ?? 0)} ${kind.replace('_', ' ')}`)
      .join(', '),
);
console.log(`problems: ${problems.length}`);
if (problems.length > 0) process.exitCode = 1;

function count(whole: number): number {
  return Math.max(2, Math.round(whole * scale));
}
