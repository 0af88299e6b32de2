/** Runs Egg, Node-RED, verdaccio, TypeScript, Python and a pipeline for 10 minutes of restarts and kills: no leftovers. */
import { parseArgs } from 'node:util';
import { sendSignal } from '../../src/system/index.js';
import { isListening } from '../../test/rig/visit.js';
import { applicationsAt } from './real-applications/applications.js';
import { formatFigures } from './real-applications/figures.js';
import { createSite, removeSite, type Site } from './real-applications/site.js';
import { livingIn } from './real-applications/tree.js';
import { Visitor, within } from './real-applications/visit.js';

const FULL_MS = 600_000;
const END_MS = 5000;

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const basePort = Number(process.env['UPKEEP_PROOF_PORT'] ?? 18_400);
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort());

const site = await createSite(basePort);
const applications = applicationsAt(site.folder, basePort);
const visitors = applications.map((application) => new Visitor(site, application));
const failures: string[] = [];
try {
  await visitAll(FULL_MS * Number(values.scale));
} catch (error) {
  failures.push((error as Error).message);
} finally {
  failures.push(...(await leave(site)), ...visitors.flatMap(({ figures }) => figures.failures));
}
await report();

/** At least one round, however short the time. */
async function visitAll(ms: number): Promise<void> {
  await expectFreePorts();
  const until = performance.now() + ms;
  console.log(await site.upkeep('up'));
  for (const visitor of visitors) await visitor.arrive();
  for (let round = 1; round === 1 || performance.now() < until; round++) {
    for (const visitor of visitors) {
      if (interruption.signal.aborted) throw new Error('interrupted');
      if (round > 1 && performance.now() > until) return;
      await visitor.visit();
    }
  }
}

async function expectFreePorts(): Promise<void> {
  for (const { port } of applications) {
    if (port === null || !(await isListening(port))) continue;
    throw new Error(`port ${port} is in use; choose others with UPKEEP_PROOF_PORT`);
  }
}

/** Ends everything and answers what did not go well. */
async function leave({ home, upkeep }: Site): Promise<string[]> {
  const problems: string[] = [];
  const note = (error: Error): unknown => problems.push(error.message);
  await upkeep('delete', 'all').catch(note);
  await upkeep('daemon', 'stop').catch(note);
  if (await within(END_MS, () => livingIn(home).length === 0)) return problems;
  for (const row of livingIn(home)) {
    problems.push(`left at the end: pid ${row.pid}, ${row.name}`);
    sendSignal(row, 'SIGKILL');
  }
  return problems;
}

async function report(): Promise<void> {
  console.log(`\n${formatFigures(visitors.map(({ figures }) => figures))}\n`);
  for (const failure of failures) console.log(failure);
  if (failures.length > 0) console.log(`\nLogs and state are kept in ${site.root}`);
  else await removeSite(site);
  const verdict =
    failures.length === 0 ? 'whole after every restart, empty after every stop' : 'it did not hold';
  console.log(`${applications.length} applications: ${verdict}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
