/**
 * Ten minutes behind nginx, reloaded and crashing: no 502 and no 504 but for requests that were on their way at a crash.
 *
 * An Express 5 application, half of the time with one instance and half with two. The same is then done with PM2 (cluster
 * mode, `pm2 reload`) for comparison; only upkeep has to hold.
 */
import { parseArgs } from 'node:util';
import { formatTable, type Column } from '../../src/cli/output/table.js';
import { startPm2, startUpkeep } from './behind-nginx/manager.js';
import { countStatus, requestsOf, visit, type Visit } from './behind-nginx/visit.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
const ms = 300_000 * Number(values.scale);
const MANAGERS = { upkeep: startUpkeep, PM2: startPm2 };

const visits: Visit[] = [];
for (const [manager, start] of Object.entries(MANAGERS)) {
  if (values.only && manager !== values.only) continue;
  for (const instances of [1, 2]) visits.push(await visit(manager, start, { instances, ms }));
}

const COLUMNS: readonly Column[] = [
  { title: 'MANAGER' },
  ...[
    'INSTANCES',
    'REQUESTS',
    'RELOADS',
    'CRASHES',
    'FAILED AT A CRASH',
    '502 OTHERWISE',
    '504',
    'OTHER',
  ].map((title) => ({ title, align: 'right' }) as const),
];
const rows = visits.map((each) => {
  const [bad, late] = [countStatus(each.otherwise, '502'), countStatus(each.otherwise, '504')];
  const counts = [each.reloads, each.crashes, each.atCrash.length, bad, late];
  const numbers = [each.instances, requestsOf(each), ...counts, each.otherwise.length - bad - late];
  return [each.manager, ...numbers.map(String)];
});
console.log(formatTable(COLUMNS, rows));
for (const { manager, instances, otherwise, complaints } of visits) {
  for (const complaint of complaints.slice(0, 3)) console.log(`${manager}, ${instances}: ${complaint}`);
  for (const { client, class: kind, detail } of otherwise.slice(0, 3)) {
    console.log(`${manager}, ${instances}: ${client} ${kind} (${detail})`);
  }
}
const ours = visits.filter(({ manager }) => manager === 'upkeep');
const isKept = ours.every(({ otherwise, complaints }) => otherwise.length === 0 && complaints.length === 0);
if (!isKept) process.exitCode = 1;
