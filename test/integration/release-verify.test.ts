/** Real instances of two releases beside each other, asked by real clients, are judged by what they do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorWatch, KnownErrors } from '../../src/logs/index.js';
import type { ReleaseCheck, ServiceSpec, VerifySpec } from '../../src/protocol/index.js';
import { watchRelease, type WatchOptions, type WatchOutcome } from '../../src/release/index.js';
import { systemClock } from '../../src/system/index.js';
import { answered, assertSucceeded, freePort, Load, releasable, Releasing, type Look } from '../rig/index.js';

const SPEC: VerifySpec = {
  smoke: [],
  stableMs: 0,
  canary: null,
  forMs: 20_000,
  bakeMs: 0,
  minRequests: 50,
  alpha: 0.01,
  errorRate: 'refuse',
  latency: 'ignore', // who else works on this machine is not known
  newErrors: 'refuse',
  memory: 'refuse',
  noData: 'hold',
  holdMs: 60_000,
};

interface Judged {
  readonly outcome: WatchOutcome;
  readonly checks: readonly ReleaseCheck[];
}

async function judgeRelease(env: Record<string, string>, spec: Partial<VerifySpec> = {}): Promise<Judged> {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  assertSucceeded(await rig.up({ api: releasable(port, 'old') }));
  const specs = await rig.specs({ api: releasable(port, 'new', { env }) });
  const watch = new ErrorWatch({
    home: rig.home.path,
    wall: () => new Date(),
    hide: () => (line) => line,
    emit: () => undefined,
    onInternalError: (error) => console.error(error),
  });
  watch.watch('api');
  const errors = new KnownErrors(watch, () => Date.now());
  await using load = new Load(port);
  await answered(releasing, load, 'old');
  const since = Date.now();
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  let checks: readonly ReleaseCheck[] = [];
  const outcome = await watchRelease({
    spec: { ...SPEC, ...spec },
    stage: 'verify',
    switchover: switchoverOf(releasing, specs),
    errors,
    since,
    clock: systemClock,
    signal: AbortSignal.timeout(120_000),
    onChecks: (seen) => (checks = seen),
  });
  await releasing.ask('revert', '1', specs);
  await watch.close();
  assert.deepEqual(load.failures, []);
  return { outcome, checks };
}

function switchoverOf(releasing: Releasing, specs: readonly ServiceSpec[]): WatchOptions['switchover'] {
  return {
    look: () => releasing.ask<Look>('look', '1', specs),
    untilFallen: () => releasing.ask<string>('fallen', '1', specs),
    whyNoneYet: () => undefined,
    check: (service, instance, check) => releasing.ask('check', '1', specs, { service, instance, check }),
  };
}

function onlyReason({ outcome, checks }: Judged): string {
  assert.ok(typeof outcome === 'object' && 'red' in outcome, JSON.stringify(checks, null, 1));
  assert.equal(outcome.red.length, 1, JSON.stringify(outcome.red, null, 1));
  return `${outcome.red[0]!.name}: ${outcome.red[0]!.text}`;
}

test('a release that changes nothing is green', async () => {
  const { outcome, checks } = await judgeRelease({}, { forMs: 6000 });
  assert.equal(outcome, 'green', JSON.stringify(checks, null, 1));
  const [requests] = checks.filter(({ name }) => name === 'requests');
  assert.match(requests!.text, /^api: [\d,]+ requests to the new instances, [\d,]+ to the old ones$/);
});

test('one whose requests fail is red by its error rate', async () => {
  const reason = onlyReason(await judgeRelease({ FAULT: 'fails' }));
  assert.match(reason, /^error rate: api: new (\d+) of \1 failed \(100\.0 %\), old 0 of \d+/);
});

test('one that leaks 50 MB a second is red by its memory', async () => {
  const reason = onlyReason(await judgeRelease({ FAULT: 'leaks' }));
  assert.match(reason, /^memory: api\.0, new, grew from .* and goes on; old ones .* MB at most$/);
});

test('one with a new kind of error is red by its title, its first line and how often', async () => {
  const reason = onlyReason(await judgeRelease({ FAULT: 'logs' }));
  assert.match(
    reason,
    /^new errors: api: RangeError: no price for .*, at Server\.<anonymous> \(.*releasable\.cjs:\d+:\d+\), \d+ times?$/,
  );
});
