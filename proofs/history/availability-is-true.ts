/**
 * Ten services are killed, frozen, hung and crashed, leak, wait for a disk, and have strangers after their ports, while clients
 * measure from outside: the report has the same availability, every incident with its cause, and nobody had to do anything. The
 * daemon is killed now and then, too.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { IncidentView, ServiceReport } from '../../src/protocol/index.js';
import { freePort, Rig } from '../../test/rig/index.js';
import { ask, Outside } from './availability-is-true/outside.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const SERVICES = scale < 0.05 ? 3 : 10;
const durationMs = Math.max(10_000, 30 * 60_000 * scale);
/** What ceases to answer is dated between two probes: of dozens a service the errors add up, as their root. */
const PROBE_MS = 100;
const REST_MS = scale < 0.05 ? 6500 : 45_000;
const DAEMON_LIVES_MS = 100_000;
/** Of the time, at full scale. In a short form one fault is a large part of it, and other work on the machine an error of each. */
const TOLERANCE = 0.0005;
const TOLERANCE_OF_FAULT_MS = 1000;
const APP = join(import.meta.dirname, 'availability-is-true', 'app.cjs');
const FAULTS = {
  kill: { cause: 'crash', words: /SIGKILL/ },
  crash: { cause: 'crash', words: /asked to crash/ },
  freeze: { cause: 'unhealthy', words: /unhealthy/ },
  hang: { cause: 'unhealthy', words: /unhealthy/ },
  disk: { cause: 'unhealthy', words: /unhealthy/ },
  leak: { cause: 'memory', words: /memory limit/ },
  steal: { cause: 'crash', words: /SIGKILL/ },
} as const;
type Fault = keyof typeof FAULTS;
const KINDS = Object.keys(FAULTS) as Fault[];

interface Subject {
  readonly name: string;
  readonly port: number;
  readonly outside: Outside;
  readonly faults: Fault[];
}

await using rig = await Rig.create();
const disk = join(rig.home.path, '..', 'disk');
execFileSync('mkfifo', [disk]);
const subjects: Subject[] = [];
for (let index = 0; index < SERVICES; index++) {
  const port = await freePort();
  subjects.push({ name: `s${index}`, port, outside: new Outside(port), faults: [] });
}
await rig.up(
  Object.fromEntries(
    subjects.map(({ name, port }) => [
      name,
      {
        script: APP,
        port,
        env: { PORT: String(port), DISK: disk },
        limits: { memory: '250MB' },
        restart: { delay: '200ms' },
        // Up is who answers, also to the client outside: one that only listens has yet to do so.
        ready: { http: '/' },
        health: { http: '/', interval: PROBE_MS, timeout: 1000, failures: 1 },
        stop: { grace: '500ms', drain: 0 },
      },
    ]),
  ),
);
const runs = subjects.map(({ outside }) => outside.run());
const endsAt = performance.now() + durationMs;
let daemonsKilled = 0;
let isDaemonAway = false;
let portsStolen = 0;
await Promise.all([...subjects.map(torment), killDaemons()]);
for (const { name, outside } of subjects) await rig.until(`${name} is well`, () => outside.isWell);
await sleep(1000);
for (const { outside } of subjects) outside.end();
await Promise.all(runs);

const reports = await Promise.all(subjects.map(reportOn));
let isWrong = false;
console.log(
  'service  outside    report     differ by      faults  incidents  noticed p95  repaired p95  manual',
);
for (const [index, report] of reports.entries()) {
  const { name, outside, faults } = subjects[index]!;
  const apart = Math.abs(report.availability! - outside.availability);
  const allowed = Math.max(TOLERANCE, scale < 1 ? (TOLERANCE_OF_FAULT_MS * faults.length) / durationMs : 0);
  const causes = report.incidents.map(({ cause, words }) => ({ cause, words }));
  const areRight =
    causes.length === faults.length && faults.every((fault, at) => isBy(fault, report.incidents[at]!));
  if (apart > allowed || !areRight || report.interventions > 0) isWrong = true;
  if (!areRight) console.log(`${name}: wrong causes`, faults, causes);
  console.log(
    [
      name.padEnd(7),
      percent(outside.availability),
      percent(report.availability!),
      `${(apart * 100).toFixed(4)} points`.padEnd(13),
      String(faults.length).padStart(6),
      String(report.incidents.length).padStart(9),
      `${report.detectMs.p95} ms`.padStart(11),
      `${report.repairMs.p95} ms`.padStart(12),
      String(report.interventions).padStart(6),
    ].join('  '),
  );
}
console.log(
  'how much earlier the report says that it began, and later that it ended, than was seen outside; ms',
);
const compared = reports.flatMap(({ incidents }, index) => {
  const { name, faults, outside } = subjects[index]!;
  return incidents.flatMap(({ startedAt, endedAt }, at) => {
    const [began, ended] = [Date.parse(startedAt), Date.parse(endedAt ?? '')];
    const seen = outside.outages.find(({ from, to }) => from < ended + 500 && to > began - 500);
    if (!seen) return [];
    return [{ kind: faults[at]!, name, startedAt, earlier: seen.from - began, later: ended - seen.to }];
  });
});
for (const kind of KINDS) {
  const own = compared.filter((each) => each.kind === kind);
  const mean = (side: 'earlier' | 'later'): string =>
    (own.reduce((sum, each) => sum + each[side], 0) / own.length).toFixed(0).padStart(5);
  console.log(`  ${kind.padEnd(7)} ${mean('earlier')} ${mean('later')}  (mean of ${own.length})`);
}
const worst = compared
  .toSorted((a, b) => Math.abs(a.earlier + a.later) - Math.abs(b.earlier + b.later))
  .at(-1);
if (worst) {
  const { kind, name, startedAt, earlier, later } = worst;
  console.log(
    `most of all: ${kind} of ${name} at ${startedAt}: ${earlier.toFixed(0)} and ${later.toFixed(0)} ms`,
  );
}
const repairs = reports.flatMap(({ incidents }) =>
  incidents.map(({ startedAt, endedAt }) => Date.parse(endedAt ?? '') - Date.parse(startedAt)),
);
const p95 = repairs.sort((a, b) => a - b)[Math.ceil(repairs.length * 0.95) - 1]!;
const asked = subjects.reduce((sum, { outside }) => sum + outside.asked, 0);
console.log(
  `${repairs.length} faults in ${SERVICES} services in ${Math.round(durationMs / 1000)} s, ${asked} requests from outside; ` +
    `the daemon was killed ${daemonsKilled} times, ${portsStolen} ports were stolen; time to repair p95 ${p95} ms`,
);
assert.ok(!isWrong && portsStolen === 0 && p95 < 5000);

/** One fault after the other, each when the service has been well for a while. */
async function torment({ name, port, outside, faults }: Subject): Promise<void> {
  for (;;) {
    await rig.until(`${name} is well`, () => outside.isWell);
    await sleep(REST_MS * (0.85 + Math.random() * 0.4));
    await rig.until(`${name} is well`, () => outside.isWell && !isDaemonAway);
    if (performance.now() > endsAt - 5000) return;
    const fault = KINDS[Math.floor(Math.random() * KINDS.length)]!;
    const { pid } = await rig.instance(name);
    faults.push(fault);
    if (fault === 'kill' || fault === 'steal') process.kill(pid!, 'SIGKILL');
    else if (fault === 'freeze') process.kill(pid!, 'SIGSTOP');
    else void ask(port, `/${fault}`, 20_000);
    const isBack = (): boolean => outside.isWell && outside.pid !== String(pid);
    if (fault === 'steal') portsStolen += await stealUntil(isBack, port);
    await rig.until(`${name} is back`, isBack);
  }
}

/** A stranger wants the port while nobody serves it; answers whether it got it. */
async function stealUntil(isBack: () => boolean, port: number): Promise<number> {
  while (!isBack()) {
    const server = createServer();
    const hasIt = new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
    });
    server.listen(port);
    if (await hasIt) {
      server.close();
      return 1;
    }
    await sleep(5);
  }
  return 0;
}

async function killDaemons(): Promise<void> {
  while (performance.now() < endsAt - DAEMON_LIVES_MS) {
    await sleep(DAEMON_LIVES_MS);
    isDaemonAway = true;
    await rig.until('all are well', () => subjects.every(({ outside }) => outside.isWell));
    await rig.crashDaemon();
    await rig.untilAnswering();
    isDaemonAway = false;
    daemonsKilled++;
  }
}

async function reportOn({ name, outside }: Subject): Promise<ServiceReport> {
  const { services } = await rig.client.call('report', { query: { service: [name], ...outside.period } });
  return services[0]!;
}

function isBy(fault: Fault, { cause, words }: IncidentView): boolean {
  return cause === FAULTS[fault].cause && FAULTS[fault].words.test(words);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(4)} %`;
}
