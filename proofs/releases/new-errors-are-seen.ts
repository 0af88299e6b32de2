/**
 * Among five kinds of errors that are always there exactly the one that a release brings is told within 10 s, with its stack.
 *
 * Of forty releases (at scale 1) twenty bring a kind that occurs three times within the watch (five minutes, made shorter),
 * twenty change nothing. Services, logs, reloads and the search for errors are real; how old and new instances are told apart,
 * and that they are asked something, is made up here in the shape of a switchover.
 */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { ServiceConfig } from '../../src/config/index.js';
import { ErrorWatch, KnownErrors } from '../../src/logs/index.js';
import type { ReleaseCheck, ServiceView, VerifySpec } from '../../src/protocol/index.js';
import { watchRelease, type WatchOptions, type WatchOutcome } from '../../src/release/index.js';
import { systemClock } from '../../src/system/index.js';
import { assertSucceeded, Rig } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const runs = Math.max(3, Math.round(20 * Number(values.scale)));
const NORMAL = 5;
/** What the new kinds begin with, and the first line of their stacks. */
const NEW: Readonly<Record<string, RegExp>> = {
  stack: /: TypeError: coupon .* has no rules, at applyCoupon \(.*app\.cjs:\d+:\d+\), \d times?$/,
  json: /: SyntaxError: cart of .* is not JSON, at readCart \(.*app\.cjs:\d+:\d+\), \d times?$/,
  cause: /: Error: checkout .* failed, at checkout \(.*app\.cjs:\d+:\d+\), \d times?$/,
};
const BEFORE_MS = 8000;
const SPEC: VerifySpec = {
  smoke: [],
  stableMs: 0,
  canary: null,
  forMs: 60_000,
  bakeMs: 0,
  minRequests: 200,
  alpha: 0.01,
  errorRate: 'refuse',
  latency: 'refuse',
  newErrors: 'refuse',
  memory: 'ignore',
  noData: 'hold',
  holdMs: 0,
};
const TOLD_MS = 10_000;
const BOOT_MS = 180_000;
const MAX_FALSE = 2;

await using rig = await Rig.create();
const names = Object.keys(NEW);
const script = fileURLToPath(new URL('new-errors-are-seen/app.cjs', import.meta.url));

// The daemon of the rig keeps a book of its own; this one is kept here, of the same logs.
const home = join(rig.folder, 'errors-home');
mkdirSync(home);
symlinkSync(join(rig.home.path, 'logs'), join(home, 'logs'));
const watch = new ErrorWatch({
  home,
  wall: () => new Date(),
  hide: () => (line) => line,
  emit: () => undefined,
  onInternalError: (error) => console.log(error),
});
const errors = new KnownErrors(watch, () => Date.now());

const kindOf = (service: string): string | undefined =>
  service.startsWith('new-') ? names[Number(service.slice(4)) % names.length] : undefined;
const services = Array.from({ length: runs }, (_, run) => [`new-${run}`, `old-${run}`]).flat();
const configs = (release: string): Record<string, ServiceConfig> =>
  Object.fromEntries(
    services.map((service) => {
      const kind = release === '2' ? kindOf(service) : undefined;
      const env = { RELEASE: release, BEFORE: String(BEFORE_MS), ...(kind && { NEW: kind }) };
      return [service, { script, ports: [], instances: 1, env }];
    }),
  );

/** What is seen of the services, and their attempts before the release. */
let current: ReadonlyMap<string, ServiceView> = new Map();
const before = new Map<string, number>();

try {
  for (const service of services) watch.watch(service);
  assertSucceeded(await rig.up(configs('1')));
  await rig.until('all know their five kinds', () => countOfKnown() === services.length, BOOT_MS);

  current = await look();
  for (const [service, view] of current) before.set(service, attemptOf(view));
  const since = Date.now();
  const looking = setInterval(() => void look().then((views) => (current = views)), 1000);
  const ends = services.map(async (service) => {
    await rig.until(`${service} runs in its second version`, () => isReplaced(service), BOOT_MS);
    return follow(service, since);
  });
  assertSucceeded(await rig.up(configs('2')));
  const all = await Promise.all(ends);
  clearInterval(looking);
  tell(all);
} finally {
  await watch.close();
}

interface End {
  readonly service: string;
  readonly outcome: WatchOutcome;
  readonly told: readonly ReleaseCheck[];
  /** Since it was written. */
  readonly afterMs: number;
}

async function follow(service: string, since: number): Promise<End> {
  let told: readonly ReleaseCheck[] = [];
  const outcome = await watchRelease({
    spec: SPEC,
    stage: 'verify',
    switchover: switchoverOf(service),
    errors,
    since,
    clock: systemClock,
    signal: new AbortController().signal,
    onChecks: (checks) =>
      (told = checks.filter(({ name, verdict }) => name === 'new errors' && verdict !== 'passed')),
  });
  const { kinds } = errors.list({ services: [service], isNew: true, since, withMuted: false });
  const firstAt = Math.min(...kinds.map(({ firstSeenAt }) => Date.parse(firstSeenAt)));
  return { service, outcome, told, afterMs: Date.now() - firstAt };
}

/** The attempts of before are old, the later ones new; 50 requests a second to either side are made up. */
function switchoverOf(service: string): WatchOptions['switchover'] {
  const begunAt = performance.now();
  return {
    look: () => {
      const requests = Math.round((performance.now() - begunAt) / 20);
      const counts = { requests, errors: 0, unanswered: 0, durationMs: requests, latency: [] };
      const shown = { service, takesTraffic: true, rssBytes: null, ended: null, restarts: 0, counts };
      const { pid } = current.get(service)!.instances[0]!;
      return Promise.resolve([
        { ...shown, side: 'old', instance: 0, attempt: before.get(service)!, pid: null },
        { ...shown, side: 'new', instance: 0, attempt: attemptOf(current.get(service)!), pid },
      ]);
    },
    untilFallen: () => new Promise(() => undefined),
    whyNoneYet: () => undefined,
    check: () => Promise.reject(new Error('no smoke check is configured')),
  };
}

function isReplaced(service: string): boolean {
  return attemptOf(current.get(service)!) > before.get(service)!;
}

function attemptOf({ instances }: ServiceView): number {
  return instances[0]!.attempt;
}

async function look(): Promise<Map<string, ServiceView>> {
  const views = await rig.client.call('services');
  return new Map(views.map((view) => [view.name, view]));
}

function countOfKnown(): number {
  const { kinds } = errors.list({ services: [], isNew: false, since: undefined, withMuted: true });
  const often = new Map<string, number>();
  for (const { service, count } of kinds) if (count >= 2) often.set(service, (often.get(service) ?? 0) + 1);
  return [...often.values()].filter((count) => count === NORMAL).length;
}

function tell(ends: readonly End[]): void {
  const latencies: number[] = [];
  let [right, falseAlarms] = [0, 0];
  for (const { service, outcome, told, afterMs } of ends) {
    const kind = kindOf(service);
    const meant = kind === undefined ? [] : told.filter(({ text }) => NEW[kind]!.test(text));
    falseAlarms += told.length - meant.length;
    const isRed = typeof outcome === 'object' && 'red' in outcome;
    if (kind === undefined) {
      if (isRed || told.length > 0) console.log(`  ${service}: ${JSON.stringify(told)}`);
      continue;
    }
    latencies.push(afterMs);
    if (isRed && meant.length === 1 && told.length === 1 && afterMs <= TOLD_MS) right++;
    else console.log(`  ${service} (${kind}): after ${afterMs} ms ${JSON.stringify(told)}`);
  }
  latencies.sort((a, b) => a - b);
  const example = ends.find(({ service }) => service === 'new-0')?.told[0];
  console.log(
    `${runs} releases with a new kind of error, ${runs} without, ${NORMAL} kinds in each all the time`,
  );
  console.log(`red by exactly the new kind, with first line and count: ${right} of ${runs}`);
  console.log(`told after ${latencies[runs >> 1]} ms (median), ${latencies.at(-1)} ms at most`);
  console.log(`false alarms: ${falseAlarms}`);
  console.log(`as it is told: ${example?.text}`);
  assert.equal(right, runs);
  assert.ok(falseAlarms <= MAX_FALSE, `${falseAlarms} false alarms`);
}
