/**
 * Express, Fastify, Koa, Hono, NestJS, Next.js, Egg, socket.io and TypeScript lose no request in 20 reloads each.
 *
 * Each is a tiny project in proofs/port/frameworks, installed from npm at its newest version (within its major), without a
 * line about signals, sockets or upkeep. With --bare each runs by itself, without reloads: the control.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatTable, type Column } from '../../src/cli/output/table.js';
import { assertSucceeded, freePort, Rig } from '../../test/rig/index.js';
import { Bare } from './support/bare.js';
import { carryOut, judge, printOutcome, type Outcome } from './support/campaign.js';
import { DrainWatch } from './support/drain-watch.js';
import { quantileMs } from './support/figures.js';
import {
  clientsOf,
  commandOf,
  FRAMEWORKS,
  installAll,
  type InstalledFramework,
} from './frameworks/frameworks.js';
import { Load, total } from './load/index.js';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    bare: { type: 'boolean', default: false },
  },
});
const BARE_MS = 5000;
const reloads = Math.max(2, Math.round(20 * Number(values.scale)));
const DRAIN_MS = 3000;

const chosen = FRAMEWORKS.filter(({ name }) => !values.only || name === values.only);
const rows: string[][] = [];
let problemCount = 0;
for (const framework of await installAll(chosen)) {
  const outcome = await (values.bare ? runBare(framework) : reload(framework));
  problemCount += outcome.problems.length;
  if (outcome.problems.length > 0) printOutcome(framework.name, outcome);
  rows.push(rowOf(framework, outcome));
}

const COLUMNS: readonly Column[] = [
  { title: 'FRAMEWORK' },
  { title: 'VERSION' },
  ...['REQUESTS', 'FAILED', 'RELOADS', 'PROCESSES', 'ONE RELOAD', 'LONGEST', 'STREAMS CUT', 'PROBLEMS'].map(
    (title) => ({ title, align: 'right' }) as const,
  ),
];
console.log(`\n${formatTable(COLUMNS, rows)}`);
console.log(`problems: ${problemCount}`);
if (problemCount > 0) process.exitCode = 1;

async function reload(framework: InstalledFramework): Promise<Outcome> {
  await using rig = await Rig.create();
  const port = await freePort();
  const stop = { drain: DRAIN_MS };
  const config = { ...framework.start(port), cwd: framework.folder, port, stop, reload: { stable: '300ms' } };
  assertSucceeded(await rig.up({ app: config }));
  return await carryOut({
    rig,
    services: ['app'],
    port,
    clients: clientsOf(framework),
    drainMs: DRAIN_MS,
    reloads,
    restarts: 0,
  });
}

async function runBare(framework: InstalledFramework): Promise<Outcome> {
  const port = await freePort();
  const { env = {}, ...start } = framework.start(port);
  await using service = await Bare.start({ command: commandOf(start), cwd: framework.folder, env, port });
  void service;
  await using load = await Load.start({ port, clients: clientsOf(framework) });
  await sleep(BARE_MS);
  const report = await load.stop();
  return { report, reloadMs: [], restartMs: [], ...judge(report, new DrainWatch([], 0)) };
}

function rowOf(framework: InstalledFramework, { report, reloadMs, latenessMs, problems }: Outcome): string[] {
  const { started, failed } = total(report.clients);
  const pids = new Set(Object.values(report.clients).flatMap((client) => Object.keys(client.pids)));
  return [
    framework.name,
    versionOf(framework),
    ...[started, failed, reloadMs.length, pids.size].map(String),
    quantileMs(reloadMs, 0.5),
    quantileMs(reloadMs, 1),
    String(latenessMs.length),
    String(problems.length),
  ];
}

function versionOf({ folder, package: name }: InstalledFramework): string {
  if (name === undefined) return '';
  const manifest = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
