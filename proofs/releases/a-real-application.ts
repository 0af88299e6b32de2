/**
 * Real applications of others are released through three of their versions, forwards and back, under load, and no request fails.
 *
 * verdaccio comes from the registry of npm (whichever npm is set to), an Egg application from a git repository that is made here, with
 * lockfiles that pin three versions of Egg; it runs alone in its process, and with egg-scripts as a master, an agent and two workers. One
 * and two instances of each. After each step only the wanted version answers, and nothing of another one lives.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { formatTable, type Column } from '../../src/cli/output/table.js';
import { Rig } from '../../test/rig/index.js';
import type { Application } from './a-real-application/application.js';
import { ALL_STEPS, Campaign, SHORT_STEPS, type CampaignOutcome } from './a-real-application/campaign.js';
import { egg, makeRepository } from './a-real-application/egg.js';
import { verdaccio } from './a-real-application/verdaccio.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
const isShort = Number(values.scale) < 1;
const PER_SECOND = isShort ? 40 : 60;

/** How this host reaches others. */
const NETWORK = /^(?:https?_proxy|no_proxy|all_proxy|node_extra_ca_certs|ssl_cert_(?:file|dir))$/i;

const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
await using rig = await Rig.create({ hasDaemon: false });
for (const [name, value] of Object.entries(process.env)) if (NETWORK.test(name)) rig.env[name] = value;
await rig.startDaemon();
const outcomes = new Map<Application, CampaignOutcome>();
const brokenOff: string[] = [];
const applications = (await applicationsIn(rig.folder)).filter(({ name }) => name.startsWith(values.only));
rig.write('upkeep.config.json', JSON.stringify(configOf(applications)));
for (const application of applications) {
  const campaign = new Campaign(rig, application, PER_SECOND);
  try {
    outcomes.set(application, await campaign.run(isShort ? SHORT_STEPS : ALL_STEPS));
  } catch (error) {
    brokenOff.push(`${application.name}: ${(error as Error).message}`);
    console.log(brokenOff.at(-1));
  }
  await rig.request({ kind: 'delete', services: [application.name] });
}
report();

async function applicationsIn(folder: string): Promise<Application[]> {
  if (isShort) return [await verdaccio(folder, registry, { instances: 1 })];
  const repository = makeRepository(folder, registry);
  const all: Application[] = [];
  for (const instances of [1, 2]) {
    all.push(
      await egg(folder, repository, { mode: 'single', instances }),
      await egg(folder, repository, { mode: 'cluster', instances }),
      await verdaccio(folder, registry, { instances }),
    );
  }
  return all;
}

function configOf(all: readonly Application[]): unknown {
  return {
    services: Object.fromEntries(all.map(({ name, service }) => [name, service])),
    releases: Object.fromEntries(all.map(({ name, group }) => [name, group])),
  };
}

function report(): void {
  const columns: readonly Column[] = [
    ...['APPLICATION', 'STEP', 'FROM', 'TO'].map((title) => ({ title })),
    ...['TOOK', 'REQUESTS', 'FAILED', 'BY OLD', 'BY NEW'].map(
      (title) => ({ title, align: 'right' }) as const,
    ),
    { title: 'ENDED' },
  ];
  const steps = [...outcomes.values()].flatMap((outcome) => outcome.steps);
  const rows = steps.map(({ application, step, from, to, ms, asked, failed, byOld, byNew, problems }) => [
    ...[application, step, from, to, `${(ms / 1000).toFixed(1)} s`],
    ...[asked, failed, byOld, byNew].map(String),
    problems.length === 0 ? 'as it should' : `WRONG: ${problems.join('; ')}`,
  ]);
  for (const { failures } of outcomes.values()) for (const failure of failures) console.log(failure);
  console.log(`\n${formatTable(columns, rows)}\n`);
  const sum = (of: (outcome: CampaignOutcome) => number): number =>
    [...outcomes.values()].reduce((all, outcome) => all + of(outcome), 0);
  const wrong = steps.filter(({ problems }) => problems.length > 0).length;
  const [asked, failed, refused] = [
    sum((each) => each.asked),
    sum((each) => each.failed),
    sum((each) => each.refused),
  ];
  console.log(`${outcomes.size} applications, ${steps.length} steps, ${wrong} of them not as they should be`);
  console.log(`${asked} requests, ${failed} failed, ${refused} of them refused`);
  for (const words of brokenOff) console.log(`broken off: ${words}`);
  process.exitCode = failed + wrong + brokenOff.length === 0 ? 0 : 1;
}
