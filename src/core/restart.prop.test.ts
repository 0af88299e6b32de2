import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RestartSpec } from '../protocol/index.js';
import { decideRestart, NO_FAILURES, type Ending, type RestartDecision } from './restart.js';

const parameters = { numRuns: Math.ceil(Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) / 10) };

/** The most that jitter adds, and half a millisecond of rounding. */
const MOST_JITTER = 1.2;
const ROUNDING_MS = 0.5;

interface Life {
  readonly livedMs: number;
  /** From its end to the next spawn, if the policy lets it come back at once. */
  readonly lateMs: number;
  readonly ending: Ending;
  readonly jitter: number;
}

interface Lived extends Life {
  readonly at: number;
  readonly isStable: boolean;
  readonly decision: Exclude<RestartDecision, { kind: 'complete' }>;
}

const policy: fc.Arbitrary<RestartSpec> = fc.record({
  policy: fc.constant('always'),
  stopExitCodes: fc.constant([]),
  delayMs: fc.nat(1000),
  maxDelayMs: fc.nat(20_000),
  stableMs: fc.integer({ min: 1, max: 2000 }),
  limit: fc.integer({ min: 1, max: 6 }),
  windowMs: fc.nat(20_000),
  retryMs: fc.nat(20_000),
});
const calmPolicy = policy.map((spec) => ({ ...spec, limit: Infinity }));

const failure: fc.Arbitrary<Ending> = fc.constantFrom(
  { kind: 'exited', code: 1 },
  { kind: 'signalled', code: null },
  { kind: 'spawn-failed', code: null },
  { kind: 'not-ready', code: null },
  { kind: 'unhealthy', code: null },
  { kind: 'memory', code: null },
  { kind: 'unknown', code: null },
);
const exit = fc.nat(255).map((code): Ending => ({ kind: 'exited', code }));
const jitter = fc.nat(99).map((percent) => percent / 100);

const life: fc.Arbitrary<Life> = fc.record({
  livedMs: fc.nat(3000),
  lateMs: fc.nat(100),
  ending: fc.oneof(failure, exit),
  jitter,
});
const lives = fc.array(life, { minLength: 1, maxLength: 25 });
const epoch = fc.nat(1e12);

test('the first restart of a row is immediate', () => {
  check(calmPolicy, (_policy, lived) => {
    for (const [index, { isStable, decision }] of lived.entries()) {
      if (index === 0 || isStable) assert.equal(decision.delayMs, 0);
    }
  });
});

test('the backoff doubles within a row, and never exceeds its cap, up to jitter', () => {
  check(calmPolicy, ({ delayMs, maxDelayMs }, lived) => {
    let row = 0;
    for (const { isStable, decision } of lived) {
      row = isStable ? 1 : row + 1;
      if (row === 1) continue;
      const exactMs = delayMs * 2 ** (row - 2);
      assertWithin(decision.delayMs, {
        min: Math.min(maxDelayMs, exactMs) - ROUNDING_MS,
        max: Math.min(maxDelayMs, exactMs) * MOST_JITTER + ROUNDING_MS,
      });
    }
  });
});

test('a delay is a finite number of milliseconds, however long the row', () => {
  fc.assert(
    fc.property(calmPolicy, fc.constantFrom(0, 100), fc.nat(100_000), jitter, (spec, delayMs, row, part) => {
      const ending = { kind: 'exited', code: 1 } as const;
      const history = { row, failures: [] };
      const ended = { ending, since: 0, at: 0, jitter: part };
      const decision = decideRestart(ended, history, { ...spec, delayMs });
      assert.ok(decision.kind !== 'complete', 'policy "always" gave up');
      assertWithin(decision.delayMs, { min: 0, max: Number.MAX_VALUE });
    }),
    parameters,
  );
});

test('more jitter never means an earlier restart', () => {
  fc.assert(
    fc.property(policy, fc.nat(12), jitter, jitter, (spec, row, one, other) => {
      const history = { row, failures: [] };
      const ending = { kind: 'exited', code: 1 } as const;
      const [less, more] = [Math.min(one, other), Math.max(one, other)].map((part) =>
        decideRestart({ ending, since: 0, at: 0, jitter: part }, history, spec),
      );
      assert.ok(less?.kind !== 'complete' && more?.kind !== 'complete', 'policy "always" gave up');
      assertWithin(less!.delayMs, { min: 0, max: more!.delayMs });
    }),
    parameters,
  );
});

test('a crash loop begins exactly when `limit` failures lie within the window, and lasts until an attempt is stable', () => {
  check(policy, ({ limit, windowMs }, lived) => {
    let isLooping = false;
    for (const [index, { at, isStable, decision }] of lived.entries()) {
      const recent = lived.slice(0, index).filter((earlier) => at - earlier.at < windowMs);
      isLooping = recent.length + 1 >= limit || (isLooping && !isStable);
      assert.equal(decision.kind, isLooping ? 'crash-loop' : 'restart');
    }
  });
});

test('a crash loop is tried once per `retryMs`, up to jitter', () => {
  check(policy, ({ retryMs }, lived) => {
    for (const { decision } of lived) {
      if (decision.kind !== 'crash-loop') continue;
      assertWithin(decision.delayMs, {
        min: retryMs - ROUNDING_MS,
        max: retryMs * MOST_JITTER + ROUNDING_MS,
      });
    }
  });
});

test('what is remembered does not grow with the number of failures', () => {
  check(policy, ({ limit }, lived) => {
    for (const { decision } of lived) assertWithin(decision.history.failures.length, { min: 1, max: limit });
  });
});

test('the age of a service does not matter', () => {
  fc.assert(
    fc.property(policy, lives, epoch, (spec, sequence, start) => {
      const delays = (lived: readonly Lived[]) =>
        lived.map(({ decision: { kind, delayMs, reason } }) => ({ kind, delayMs, reason }));
      assert.deepEqual(delays(liveThrough(spec, sequence, start)), delays(liveThrough(spec, sequence, 0)));
    }),
    parameters,
  );
});

test('a stop exit code ends the service under every policy, and only when it exited with it', () => {
  const policies = fc.constantFrom<RestartSpec['policy'][]>('always', 'on-failure');
  const codes = fc.uniqueArray(fc.integer({ min: 1, max: 9 }));
  const endings = fc.oneof(failure, fc.integer({ min: 1, max: 9 }).map(exitedWith));
  fc.assert(
    fc.property(policy, policies, codes, endings, (spec, kind, stopExitCodes, ending) => {
      const decision = decide({ ...spec, policy: kind, stopExitCodes }, ending);
      const isStop = ending.kind === 'exited' && stopExitCodes.includes(ending.code!);
      assert.equal(decision.kind === 'complete', isStop);
    }),
    parameters,
  );
});

test('on-failure restarts after everything but exit code 0', () => {
  fc.assert(
    fc.property(policy, fc.oneof(failure, exit, fc.constant(exitedWith(0))), (spec, ending) => {
      const decision = decide({ ...spec, policy: 'on-failure' }, ending);
      assert.equal(decision.kind === 'complete', ending.kind === 'exited' && ending.code === 0);
    }),
    parameters,
  );
});

test('never restarts nothing, and says why', () => {
  fc.assert(
    fc.property(policy, fc.oneof(failure, exit), (spec, ending) => {
      const decision = decide({ ...spec, policy: 'never' }, ending);
      assert.deepEqual(decision, { kind: 'complete', reason: 'restart policy "never"' });
    }),
    parameters,
  );
});

/** With a message: for `assert.ok` alone, node:assert reads the source again at every shrinking step. */
function assertWithin(value: number, { min, max }: { min: number; max: number }): void {
  assert.ok(min <= value && value <= max, `${value} is not from ${min} to ${max}`);
}

function exitedWith(code: number): Ending {
  return { kind: 'exited', code };
}

function decide(spec: RestartSpec, ending: Ending): RestartDecision {
  return decideRestart({ ending, since: 0, at: 100, jitter: 0 }, NO_FAILURES, spec);
}

function check(
  policies: fc.Arbitrary<RestartSpec>,
  property: (policy: RestartSpec, lived: readonly Lived[]) => void,
): void {
  fc.assert(
    fc.property(policies, lives, epoch, (spec, sequence, start) =>
      property(spec, liveThrough(spec, sequence, start)),
    ),
    { ...parameters, includeErrorInReport: true },
  );
}

/** One life after the other, each as soon as it may begin. Under `always`, so there is always a next one. */
function liveThrough(spec: RestartSpec, sequence: readonly Life[], start: number): Lived[] {
  let since = start;
  let history = NO_FAILURES;
  return sequence.map((each) => {
    const at = since + each.livedMs;
    const decision = decideRestart({ ...each, since, at }, history, spec);
    assert.ok(decision.kind !== 'complete', 'policy "always" gave up');
    history = decision.history;
    since = at + decision.delayMs + each.lateMs;
    return { ...each, at, isStable: each.livedMs >= spec.stableMs, decision };
  });
}
