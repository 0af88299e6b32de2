import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  adoptInstance,
  createInstance,
  KILL_AGAIN_MS,
  step,
  SWEEP_MS,
  type InstanceEffect,
  type InstanceEvent,
  type InstancePolicy,
  type InstanceState,
} from './instance.js';
import { NO_FAILURES } from './restart.js';

const POLICY: InstancePolicy = {
  restart: {
    policy: 'always',
    stopExitCodes: [42],
    delayMs: 100,
    maxDelayMs: 1000,
    stableMs: 10_000,
    limit: 3,
    windowMs: 60_000,
    retryMs: 30_000,
  },
  stop: { signal: 'SIGTERM', drainMs: 3000, graceMs: 5000, message: false, killScope: 'tree' },
  readyTimeoutMs: 2000,
};
const PROCESS_SCOPE: InstancePolicy = { ...POLICY, stop: { ...POLICY.stop, killScope: 'process' } };

const NOW = 1000;
const ALIVE = { attempt: 3, history: NO_FAILURES, since: 500 };
const LEAVING = { ...ALIVE, isDraining: false, killAt: 5500 };
const DRAINING = { ...ALIVE, isDraining: true, isGone: false, killAt: 8500 };
const CRASH = { kind: 'exited', code: 1 } as const;

const STATES = {
  stopped: createInstance(3),
  completed: { id: 'completed', attempt: 3, reason: 'restart policy "never"' },
  starting: { ...ALIVE, id: 'starting' },
  running: { ...ALIVE, id: 'running' },
  'ending, root alive': { ...LEAVING, id: 'ending', isGone: false, ending: CRASH, at: 500 },
  'ending, root gone': { ...LEAVING, id: 'ending', isGone: true, ending: CRASH, at: 500 },
  'ending, draining': { ...DRAINING, id: 'ending', ending: CRASH, at: 500 },
  'stopping, draining': { ...DRAINING, id: 'stopping', next: 'stop' },
  'stopping, root alive': { ...LEAVING, id: 'stopping', isGone: false, next: 'stop' },
  'stopping, root gone': { ...LEAVING, id: 'stopping', isGone: true, next: 'stop' },
  'stopping for a start, root gone': { ...LEAVING, id: 'stopping', isGone: true, next: 'start' },
  waiting: {
    id: 'waiting',
    attempt: 3,
    history: NO_FAILURES,
    isCrashLoop: false,
    until: 1500,
    reason: 'failure 1 in a row',
  },
} satisfies Record<string, InstanceState>;

const EVENTS = {
  start: { id: 'start', at: NOW },
  stop: { id: 'stop', at: NOW },
  restart: { id: 'restart', at: NOW },
  ready: { id: 'became-ready', at: NOW, attempt: 3 },
  'exit, tree empty': exit(true),
  'exit, leaving descendants': exit(false),
  emptied: { id: 'emptied', at: NOW, attempt: 3, jitter: 0 },
  drained: { id: 'drained', at: NOW, attempt: 3 },
  fail: { id: 'fail', at: NOW, attempt: 3, kind: 'memory' },
  'ready timer': { id: 'timer', at: NOW, attempt: 3, timer: 'ready' },
  'drain timer': { id: 'timer', at: NOW, attempt: 3, timer: 'drain' },
  'kill timer': { id: 'timer', at: NOW, attempt: 3, timer: 'kill' },
  'retry timer': { id: 'timer', at: NOW, attempt: 3, timer: 'retry' },
} satisfies Record<string, InstanceEvent>;

const SPAWN = 'starting: spawn 4, ready timer at 3000';
const ASK = 'SIGTERM to the root, kill timer at 6000';
const DRAIN = 'leave until 4000, drain timer at 4000';
const DRAIN_SERVING = 'serve until 4000, drain timer at 4000';
const SWEEP = 'SIGTERM to the tree, kill timer at 5500';
const KILL = 'kill the tree, kill timer at 1250';

/** The whole machine. What is not listed changes nothing. */
const ANSWERS: Record<keyof typeof STATES, Partial<Record<keyof typeof EVENTS, string>>> = {
  stopped: { start: SPAWN, restart: SPAWN },
  completed: { start: SPAWN, restart: SPAWN, stop: 'stopped' },
  waiting: { start: SPAWN, restart: SPAWN, stop: 'stopped', 'retry timer': SPAWN },
  starting: {
    ready: 'running',
    stop: `stopping: ${ASK}`,
    restart: `stopping for a start: ${ASK}`,
    fail: `ending: ${ASK}`,
    'ready timer': `ending: ${ASK}`,
    'exit, tree empty': 'starting: release, spawn 4, ready timer at 3000',
    'exit, leaving descendants': 'ending: SIGTERM to the tree, kill timer at 2000',
  },
  running: {
    stop: `stopping: ${DRAIN}`,
    restart: `stopping for a start: ${DRAIN_SERVING}`,
    fail: `ending: ${DRAIN_SERVING}`,
    'exit, tree empty': 'starting: release, spawn 4, ready timer at 3000',
    'exit, leaving descendants': 'ending: SIGTERM to the tree, kill timer at 2000',
  },
  'ending, root alive': {
    start: 'stopping for a start',
    stop: 'stopping',
    restart: 'stopping for a start',
    'kill timer': `ending: ${KILL}`,
    'exit, tree empty': 'starting: release, spawn 4, ready timer at 3000',
    'exit, leaving descendants': `ending: ${SWEEP}`,
  },
  'ending, root gone': {
    start: 'stopping for a start',
    stop: 'stopping',
    restart: 'stopping for a start',
    'kill timer': `ending: ${KILL}`,
    emptied: 'starting: release, spawn 4, ready timer at 3000',
  },
  'ending, draining': {
    start: 'stopping for a start',
    stop: 'stopping',
    restart: 'stopping for a start',
    drained: `ending: ${ASK}`,
    'drain timer': `ending: ${ASK}`,
    'exit, tree empty': 'starting: release, spawn 4, ready timer at 3000',
    'exit, leaving descendants': 'ending: SIGTERM to the tree, kill timer at 6000',
  },
  'stopping, draining': {
    start: 'stopping for a start',
    restart: 'stopping for a start',
    drained: `stopping: ${ASK}`,
    'drain timer': `stopping: ${ASK}`,
    'exit, tree empty': 'stopped: release',
    'exit, leaving descendants': 'stopping: SIGTERM to the tree, kill timer at 6000',
  },
  'stopping, root alive': {
    start: 'stopping for a start',
    restart: 'stopping for a start',
    'kill timer': `stopping: ${KILL}`,
    'exit, tree empty': 'stopped: release',
    'exit, leaving descendants': `stopping: ${SWEEP}`,
  },
  'stopping, root gone': {
    start: 'stopping for a start',
    restart: 'stopping for a start',
    'kill timer': `stopping: ${KILL}`,
    emptied: 'stopped: release',
  },
  'stopping for a start, root gone': {
    stop: 'stopping',
    'kill timer': `stopping for a start: ${KILL}`,
    emptied: 'starting: release, spawn 4, ready timer at 3000',
  },
};

for (const [name, state] of Object.entries(STATES)) {
  test(`${name} answers every event as the table says`, () => {
    const answers = ANSWERS[name as keyof typeof STATES];
    for (const [what, event] of Object.entries(EVENTS)) {
      const expected = answers[what as keyof typeof EVENTS] ?? describeStep({ state, effects: [] });
      assert.equal(describeStep(step(state, event, POLICY)), expected, what);
    }
  });
}

test('news of another attempt change nothing', () => {
  for (const state of Object.values(STATES)) {
    for (const event of Object.values(EVENTS)) {
      if (!('attempt' in event)) continue;
      assert.deepEqual(step(state, { ...event, attempt: 2 }, POLICY), { state, effects: [] });
    }
  }
});

test('an instance under kill scope "process" is over when its process is, whatever it left behind', () => {
  const { state, effects } = step(STATES['stopping, root alive'], exit(false), PROCESS_SCOPE);
  assert.equal(state.id, 'stopped');
  assert.deepEqual(effects, [{ id: 'release', attempt: 3 }]);
});

test('the kill timer under kill scope "process" kills the process alone, again and again', () => {
  const { effects } = step(STATES['stopping, root alive'], EVENTS['kill timer'], PROCESS_SCOPE);
  assert.deepEqual(effects, [
    { id: 'signal', attempt: 3, signal: 'SIGKILL' },
    { id: 'set-timer', attempt: 3, timer: 'kill', at: NOW + KILL_AGAIN_MS },
  ]);
});

test('descendants of a crash get a second, or less if the grace of the service is shorter', () => {
  const hasty = { ...POLICY, stop: { ...POLICY.stop, graceMs: 200 } };
  for (const [policy, graceMs] of [
    [POLICY, SWEEP_MS],
    [hasty, 200],
  ] as const) {
    const { state } = step(STATES.running, exit(false), policy);
    assert.ok(state.id === 'ending' && state.killAt === NOW + graceMs);
  }
});

test('a failing attempt is remembered by what it failed at, not by how it was made to exit', () => {
  const failed = step(STATES.starting, EVENTS['ready timer'], POLICY).state;
  assert.ok(failed.id === 'ending');
  assert.deepEqual(failed.ending, { kind: 'not-ready', code: null });
  const once = step(failed, { ...exit(true), ending: { kind: 'exited', code: 42 } }, POLICY).state;
  assert.equal(once.id, 'starting');
});

test('what is unhealthy takes no more connections while it is drained; without a drain the signal comes at once', () => {
  const unhealthy = { ...EVENTS.fail, kind: 'unhealthy' } as const;
  assert.equal(describeStep(step(STATES.running, unhealthy, POLICY)), `ending: ${DRAIN}`);
  const hasty = { ...POLICY, stop: { ...POLICY.stop, drainMs: 0 } };
  assert.equal(describeStep(step(STATES.running, EVENTS.stop, hasty)), `stopping: ${ASK}`);
});

test('an attempt is numbered beyond those that live beside it', () => {
  const { state } = step(STATES.stopped, EVENTS.start, { ...POLICY, takenAttempt: 7 });
  assert.equal(state.attempt, 8);
});

test('a stop exit code completes the service', () => {
  const { state, effects } = step(
    STATES.running,
    { ...exit(true), ending: { kind: 'exited', code: 42 } },
    POLICY,
  );
  assert.deepEqual(state, { id: 'completed', attempt: 3, reason: 'exit code 42 is a stop exit code' });
  assert.deepEqual(effects, [{ id: 'release', attempt: 3 }]);
});

test('a second failure waits, a third is a crash loop', () => {
  const history = { row: 1, failures: [700] };
  const second = step({ ...STATES.running, history }, exit(true), POLICY);
  assert.deepEqual(second.state, {
    id: 'waiting',
    attempt: 3,
    history: { row: 2, failures: [700, NOW] },
    isCrashLoop: false,
    until: NOW + 100,
    reason: 'failure 2 in a row',
  });
  assert.deepEqual(second.effects, [
    { id: 'release', attempt: 3 },
    { id: 'set-timer', attempt: 3, timer: 'retry', at: NOW + 100 },
  ]);
  const third = step({ ...STATES.running, history: second.state.history }, exit(true), POLICY).state;
  assert.ok(third.id === 'waiting' && third.isCrashLoop && third.until === NOW + 30_000);
});

test('a retry keeps the history of failures, a wished start forgets it', () => {
  const history = { row: 2, failures: [700, 900] };
  const waiting = { ...STATES.waiting, history };
  const retried = step(waiting, EVENTS['retry timer'], POLICY).state;
  const started = step(waiting, EVENTS.start, POLICY).state;
  assert.ok(retried.id === 'starting' && started.id === 'starting');
  assert.equal(retried.history, history);
  assert.equal(started.history, NO_FAILURES);
});

test('an adopted attempt goes on where the former daemon left it', () => {
  assert.deepEqual(adoptInstance(3, 500, true), STATES.running);
  assert.deepEqual(adoptInstance(3, 500, false), STATES.starting);
});

function exit(isTreeEmpty: boolean): Extract<InstanceEvent, { id: 'exited' }> {
  return { id: 'exited', at: NOW, attempt: 3, ending: CRASH, isTreeEmpty, jitter: 0 };
}

function describeStep({
  state,
  effects,
}: {
  state: InstanceState;
  effects: readonly InstanceEffect[];
}): string {
  const name = state.id === 'stopping' && state.next === 'start' ? 'stopping for a start' : state.id;
  return [name, effects.map(describeEffect).join(', ')].filter(Boolean).join(': ');
}

function describeEffect(effect: InstanceEffect): string {
  switch (effect.id) {
    case 'spawn':
      return `spawn ${effect.attempt}`;
    case 'drain':
      return `${effect.mode} until ${effect.until}`;
    case 'signal':
      return `${effect.signal} to the root`;
    case 'signal-tree':
      return `${effect.signal} to the tree`;
    case 'kill-tree':
      return 'kill the tree';
    case 'release':
      return 'release';
    case 'set-timer':
      return `${effect.timer} timer at ${effect.at}`;
  }
}
