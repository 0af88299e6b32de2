import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SignalName } from '../protocol/index.js';
import type { InstanceEvent, InstancePolicy, InstanceState, InstanceTimer } from './instance.js';
import { adoptInstance, createInstance, step } from './instance.js';
import { PROMISES } from './instance-promises.js';
import { NO_FAILURES } from './restart.js';
import { SimulatedWorld, type History, type Life } from './simulated-world.js';

const RUNS = Number(process.env.UPKEEP_PROP_RUNS ?? 10_000);

const ms = fc.nat(2000);
const oftenMs = fc.option(ms, { freq: 3 });
const seldomMs = fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: ms });

const life: fc.Arbitrary<Life> = fc.record({
  isSpawned: fc.nat(9).map((number) => number > 0),
  readyMs: fc.option(fc.nat(500), { freq: 3 }),
  failMs: seldomMs,
  endMs: fc.option(fc.integer({ min: 1, max: 2000 }), { freq: 3 }),
  ending: fc.constantFrom(
    { kind: 'exited', code: 0 },
    { kind: 'exited', code: 1 },
    { kind: 'exited', code: 42 },
    { kind: 'signalled', code: null },
    { kind: 'unknown', code: null },
  ),
  drainMs: oftenMs,
  obeyMs: oftenMs,
  hasDescendants: fc.boolean(),
  descendantsEndMs: seldomMs,
  descendantsObeyMs: oftenMs,
  forks: fc.nat(2),
});

const policy: fc.Arbitrary<InstancePolicy> = fc.record({
  restart: fc.record({
    policy: fc.constantFrom('always', 'always', 'on-failure', 'never'),
    stopExitCodes: fc.constantFrom([], [], [0], [42]),
    delayMs: fc.nat(500),
    maxDelayMs: ms,
    stableMs: ms,
    limit: fc.integer({ min: 1, max: 6 }),
    windowMs: fc.nat(5000),
    retryMs: ms,
  }),
  stop: fc.record({
    signal: fc.constantFrom<SignalName[]>('SIGTERM', 'SIGINT'),
    drainMs: fc.oneof(fc.constant(0), ms),
    graceMs: ms,
    message: fc.constant(false),
    killScope: fc.constantFrom('tree', 'process'),
  }),
  readyTimeoutMs: ms,
});

const history: fc.Arbitrary<History> = fc.record({
  policy,
  adopted: fc.constantFrom(null, null, 'running', 'starting'),
  commands: fc.array(fc.record({ afterMs: ms, id: fc.constantFrom('start', 'stop', 'restart') }), {
    minLength: 1,
    maxLength: 10,
  }),
  lives: fc.array(life, { minLength: 1, maxLength: 4 }),
  lagsMs: fc.array(fc.nat(60), { minLength: 1, maxLength: 5 }),
  echoes: fc.array(fc.record({ afterMs: ms, age: fc.nat(6) }), { maxLength: 5 }),
});

const STATES = ['stopped', 'completed', 'starting', 'running', 'ending', 'stopping', 'waiting'] as const;
const EVENTS = [
  'start',
  'stop',
  'restart',
  'became-ready',
  'exited',
  'emptied',
  'drained',
  'fail',
  'timer',
] as const;

test('an instance keeps its promises in every history', (t) => {
  const met = new Set<string>();
  let steps = 0;
  const onStep = (state: InstanceState, event: InstanceEvent): void => {
    met.add(`${state.id} meets ${event.id}`);
    steps++;
  };
  fc.assert(
    fc.property(history, (lived) => new SimulatedWorld(lived, onStep).run()),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  const unmet = STATES.flatMap((state) => EVENTS.map((event) => `${state} meets ${event}`)).filter(
    (meeting) => !met.has(meeting),
  );
  // The rarest is there in one history of two hundred.
  assert.ok(RUNS < 2000 || unmet.length === 0, `the histories never led to: ${unmet.join(', ')}`);
  t.diagnostic(`${RUNS} histories, ${steps} steps, ${Object.keys(PROMISES).length} promises kept in each`);
});

test('every state answers every event, of its own attempt or another, under every policy', (t) => {
  const policies = fc.sample(policy, { numRuns: 20, seed: 1 });
  let answers = 0;
  for (const state of everyState()) {
    for (const event of everyEvent()) {
      for (const under of policies) {
        const next = step(state, event, under);
        assert.ok(STATES.includes(next.state.id));
        const attempts = next.effects.map(({ attempt }) => attempt);
        assert.ok(attempts.every((attempt) => [state.attempt, state.attempt + 1].includes(attempt)));
        answers++;
      }
    }
  }
  t.diagnostic(`${answers} answers`);
});

function everyState(): InstanceState[] {
  const alive = { attempt: 3, history: { row: 1, failures: [5] }, since: 10 };
  const ending = { kind: 'exited', code: 1 } as const;
  const waiting = { attempt: 3, history: NO_FAILURES, until: 500, reason: 'failure 1 in a row' };
  const leaving = (['draining', 'asked', 'gone'] as const).map((phase) => {
    return { ...alive, isDraining: phase === 'draining', isGone: phase === 'gone', killAt: 400 };
  });
  return [
    createInstance(3),
    { id: 'completed', attempt: 3, reason: 'restart policy "never"' },
    adoptInstance(3, 10, true),
    adoptInstance(3, 10, false),
    ...leaving.map((state) => ({ ...state, id: 'ending', ending, at: 300 }) as const),
    ...leaving.map((state) => ({ ...state, id: 'stopping', next: 'stop' }) as const),
    ...leaving.map((state) => ({ ...state, id: 'stopping', next: 'start' }) as const),
    ...[true, false].map((isCrashLoop) => ({ ...waiting, id: 'waiting', isCrashLoop }) as const),
  ];
}

function everyEvent(): InstanceEvent[] {
  const at = 1000;
  const timers: InstanceTimer[] = ['ready', 'drain', 'kill', 'retry'];
  const failures = ['not-ready', 'memory', 'unhealthy'] as const;
  return [
    ...(['start', 'stop', 'restart'] as const).map((id) => ({ id, at })),
    ...[2, 3, 4].flatMap((attempt): InstanceEvent[] => [
      { id: 'became-ready', at, attempt },
      ...[true, false].flatMap((isTreeEmpty) =>
        [0, 1, null].map((code): InstanceEvent => {
          const ending = { kind: code === null ? 'signalled' : 'exited', code } as const;
          return { id: 'exited', at, attempt, ending, isTreeEmpty, jitter: 0.5 };
        }),
      ),
      { id: 'emptied', at, attempt, jitter: 0.5 },
      { id: 'drained', at, attempt },
      ...failures.map((kind): InstanceEvent => ({ id: 'fail', at, attempt, kind })),
      ...timers.map((timer): InstanceEvent => ({ id: 'timer', at, attempt, timer })),
    ]),
  ];
}
