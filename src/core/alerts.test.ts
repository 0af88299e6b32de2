import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ALERT_KINDS,
  type AlertSpec,
  type ExitView,
  type OperationView,
  type UpkeepEvent,
} from '../protocol/index.js';
import {
  CALM_MS,
  forget,
  nextTick,
  note,
  openIn,
  problemsOf,
  problemsOfOperation,
  tick,
  type AlertBook,
  type Problem,
  type Told,
} from './alerts.js';

const OPS: AlertSpec = {
  name: 'ops',
  target: { via: 'command', argv: ['true'], cwd: '/' },
  on: [...ALERT_KINDS],
  repeatMs: 60_000,
  recovery: true,
  quiet: null,
  subject: null,
  text: null,
};
const BY_NAME = new Map([['ops', OPS]]);
const CRASH: Problem = {
  kind: 'crash',
  service: 'api',
  instance: 0,
  key: '',
  state: 'happened',
  detail: 'exit code 1',
};
const SICK: Problem = { ...CRASH, kind: 'unhealthy', key: '0', state: 'began', detail: 'status 500' };

/** What is told by the second at which it happens; the time goes on in between. */
function play(turns: Readonly<Record<number, Problem>>, seconds: number, alert = OPS): string[] {
  let book: AlertBook = {};
  const told: string[] = [];
  const alerts = new Map([[alert.name, alert]]);
  const word = (now: number, all: readonly Told[]): void =>
    void told.push(...all.map(({ phase, count }) => `${now / 1000}s ${phase} ${count}`));
  for (let second = 0; second <= seconds; second++) {
    const now = second * 1000;
    const problem = turns[second];
    const steps = [
      () => tick(book, alerts, now),
      ...(problem ? [() => note(book, problem, [alert], now)] : []),
    ];
    for (const step of steps) {
      const next = step();
      book = next.book;
      word(now, next.told);
    }
  }
  return told;
}

test('the first crash is told at once, more of them together after a while', () => {
  assert.deepEqual(play({ 1: CRASH, 2: CRASH, 5: CRASH, 200: CRASH }, 300), [
    '1s problem 1',
    '61s still 2',
    '200s problem 1',
  ]);
});

test('an unhealthy instance is told again as long as it is, and when it has been well for some time', () => {
  const over: Problem = { ...SICK, state: 'over' };
  assert.deepEqual(play({ 1: SICK, 70: over }, 300), ['1s problem 1', '61s still 0', '100s recovered 0']);
});

test('what flaps is one problem', () => {
  const over: Problem = { ...SICK, state: 'over' };
  assert.deepEqual(play({ 1: SICK, 5: over, 10: SICK, 15: over, 20: SICK, 25: over }, 59), [
    '1s problem 1',
    '55s recovered 0',
  ]);
});

test('a recovery that nobody wants to hear of is forgotten all the same', () => {
  const over: Problem = { ...SICK, state: 'over' };
  const turns = { 1: SICK, 5: over, 50: SICK };
  assert.deepEqual(play(turns, 59, { ...OPS, recovery: false }), ['1s problem 1', '50s problem 1']);
});

test('nobody is told of what the alert does not name, nor that it is over', () => {
  const over: Problem = { ...SICK, state: 'over' };
  assert.deepEqual(play({ 1: CRASH, 5: over }, 100, { ...OPS, on: ['warning'] }), []);
});

test('the next moment of the time is when something is told', () => {
  const { book } = note({}, SICK, [OPS], 1000);
  assert.equal(nextTick(book, BY_NAME), 61_000);
  const { book: calming } = note(book, { ...SICK, state: 'over' }, [OPS], 5000);
  assert.equal(nextTick(calming, BY_NAME), 5000 + CALM_MS);
  assert.equal(nextTick({}, BY_NAME), undefined);
});

test('a deleted service, and an alert that is not there any more, are forgotten', () => {
  const { book } = note({}, SICK, [OPS], 0);
  assert.deepEqual(tick(forget(book, 'api'), BY_NAME, 1000).book, {});
  assert.deepEqual(tick(book, new Map(), 1000), { book: {}, told: [] });
});

test('a clock that was set back keeps nothing from being told', () => {
  const { book } = note({}, CRASH, [OPS], 1e12);
  assert.equal(note(book, CRASH, [OPS], 1e11).told.length, 1);
});

const EXIT: ExitView = {
  attempt: 1,
  kind: 'exited',
  code: 1,
  signal: null,
  askedBy: null,
  reason: 'exit code 1',
  error: null,
  at: '2026-01-01T00:00:00.000Z',
  livedMs: 1,
  leftBehind: 0,
  lastLines: [],
};

function problemOf(event: UpkeepEvent): Problem | undefined {
  return problemsOf(event)[0];
}

function exited(exit: Partial<ExitView>): UpkeepEvent {
  const header = { seq: 1, at: EXIT.at, service: 'api', instance: 0, attempt: 1 };
  return { type: 'instance-exited', ...header, exit: { ...EXIT, ...exit } };
}

test('an end that was asked for, and one with exit code 0, are no crash', () => {
  assert.equal(problemOf(exited({ code: 0 })), undefined);
  assert.equal(problemOf(exited({ kind: 'signalled', code: null, askedBy: 'operation 3' })), undefined);
  assert.equal(problemOf(exited({ askedBy: 'upkeep: memory limit: 2 MB of 1 MB' }))?.kind, 'crash');
  const error = { type: 'TypeError', message: 'no models', at: 'db.js:10' };
  assert.equal(problemOf(exited({ error }))?.detail, 'TypeError: no models (db.js:10)');
});

test('memory that grows is told with its pace and its end, and is over when it grows no more', () => {
  const growth: UpkeepEvent = {
    ...{ seq: 1, at: '2026-01-01T00:00:00.000Z', type: 'memory-growth', service: 'api', isGrowing: true },
    ...{ rssBytes: 300 * 1024 ** 2, bytesPerHour: 20 * 1024 ** 2, bound: 'limit' },
    reachedAt: '2026-01-01T09:30:00.000Z',
  };
  const began = problemOf(growth)!;
  assert.equal(began.state, 'began');
  assert.match(began.detail, /^by 20.* an hour, is at 300.*, and reaches its limit at 2026-01-01T09:30/);
  const over = problemOf({ ...growth, isGrowing: false, bytesPerHour: 0, reachedAt: null })!;
  assert.deepEqual([over.state, over.kind, over.service], ['over', 'memory-growing', 'api']);
  assert.deepEqual(play({ 0: began, 100: over }, 200), ['0s problem 1', '130s recovered 0']);
});

test('a certificate that expires is told with its place and its date, and again after a day', () => {
  const shown = { subject: 'shop.example', expiresAt: '2026-01-10T00:00:00.000Z' };
  const event: UpkeepEvent = {
    ...{ seq: 1, at: '2026-01-01T00:00:00.000Z', type: 'certificate', service: 'shop' },
    ...{ host: '::1', port: 443, isExpiring: true, shown },
  };
  const began = problemOf(event)!;
  assert.equal(began.detail, `the one for shop.example at [::1]:443 expires on ${shown.expiresAt}`);
  assert.match(problemOf({ ...event, at: '2026-02-01T00:00:00.000Z' })!.detail, /443 expired on 2026-01-10/);
  const over = problemOf({ ...event, isExpiring: false })!;
  assert.deepEqual([over.state, over.key], ['over', began.key]);
  assert.deepEqual(play({ 0: began }, 2 * 86_400), ['0s problem 1', '86400s still 0', '172800s still 0']);
});

test('a certificate that nobody looks at any more is not told to be well, and goes on where somebody does again', () => {
  const began: Problem = { ...SICK, kind: 'certificate', service: 'shop', key: '[::1]:443' };
  const event: UpkeepEvent = {
    ...{ seq: 1, at: '2026-01-01T00:00:00.000Z', type: 'certificate', service: 'shop' },
    ...{ host: '::1', port: 443, isExpiring: false, shown: null },
  };
  const unwatched = problemOf(event)!;
  assert.deepEqual([unwatched.state, unwatched.key], ['unwatched', began.key]);
  assert.deepEqual(play({ 1: began, 5: unwatched }, 200), ['1s problem 1']);
  assert.deepEqual(play({ 1: began, 5: unwatched, 100: began }, 200), ['1s problem 1', '100s problem 1']);
  const renewed: Problem = { ...began, state: 'over' };
  assert.deepEqual(play({ 1: began, 5: unwatched, 20: began, 50: renewed }, 200), [
    '1s problem 1',
    '80s recovered 0',
  ]);
  assert.deepEqual(play({ 1: began, 5: unwatched, 20: renewed }, 200), ['1s problem 1', '35s recovered 0']);
});

test('an instance that was ended because it hung is well when the next attempt runs', () => {
  const running: UpkeepEvent = {
    ...{ seq: 1, at: EXIT.at, type: 'instance-status', service: 'api', instance: 0, attempt: 2 },
    ...{ pid: 7, from: 'starting', to: 'running' },
  };
  const over = problemsOf(running).find(({ kind }) => kind === 'unhealthy')!;
  const hangs: Problem = { ...SICK, isOfAttempt: true };
  assert.deepEqual(play({ 1: hangs, 5: over, 70: hangs }, 100), [
    '1s problem 1',
    '35s recovered 0',
    '70s problem 1',
  ]);
  assert.deepEqual(play({ 1: SICK, 5: over }, 100), ['1s problem 1', '61s still 0'], 'its check says that');
  assert.deepEqual(play({ 1: hangs, 3: SICK, 5: over }, 50), ['1s problem 1']);
});

test('what hangs is told as of its attempt, what a check says is not', () => {
  const health: UpkeepEvent = {
    ...{ seq: 1, at: EXIT.at, type: 'instance-health', service: 'api', instance: 0, attempt: 1 },
    ...{ healthy: false, detail: 'its event loop hangs', probe: 'event-loop' },
  };
  assert.equal(problemOf(health)!.isOfAttempt, true);
  assert.equal(problemOf({ ...health, probe: undefined })!.isOfAttempt, undefined);
});

test('a release that failed, or was rolled back, is told to each service of its group; a plan is not', () => {
  const failed: UpkeepEvent = {
    ...{ seq: 1, at: EXIT.at, type: 'release', release: '12', group: 'shop', kind: 'release' },
    ...{ status: 'failed', stage: 'resolve', reason: 'no artifact', services: ['web', 'api'] },
  };
  assert.deepEqual(
    problemsOf(failed).map(({ kind, service, detail }) => [kind, service, detail]),
    ['web', 'api'].map((service) => ['operation-failed', service, 'release 12 failed: no artifact']),
  );
  assert.match(
    problemsOf({ ...failed, status: 'rolled-back' })[0]!.detail,
    /^release 12 was rolled back: no/,
  );
  const notTold = [
    { kind: 'plan' },
    { status: 'aborted' },
    { status: 'succeeded' },
    { status: 'rolled-back', reason: null },
  ] as const;
  for (const event of notTold) assert.deepEqual(problemsOf({ ...failed, ...event }), []);
});

test('an operation that somebody has given up has not failed; that of a release is told as a release', () => {
  const operation = (kind: OperationView['kind'], code: string): OperationView =>
    ({
      id: '7',
      kind,
      steps: [{ service: 'api', failure: { code, message: 'no' } }],
    }) as unknown as OperationView;
  assert.equal(problemsOfOperation(operation('reload', 'not-ready')).length, 1);
  for (const code of ['aborted', 'superseded'])
    assert.deepEqual(problemsOfOperation(operation('reload', code)), []);
  assert.deepEqual(problemsOfOperation(operation('release', 'not-ready')), []);
});

test('an instance that is stopped on purpose has no problem, and is not told to be well', () => {
  const stop: UpkeepEvent = {
    ...{ seq: 1, at: EXIT.at, type: 'instance-status', service: 'api', instance: 0, attempt: 1 },
    ...{ pid: null, from: 'stopping', to: 'stopped' },
  };
  const [loop, sick] = problemsOf(stop);
  assert.deepEqual([loop!.kind, sick!.kind, sick!.key], ['crash-loop', 'unhealthy', SICK.key]);
  assert.deepEqual(play({ 1: SICK, 5: sick! }, 300), ['1s problem 1']);
});

test('the next daemon knows what was told and is not over', () => {
  const place: Problem = { ...SICK, kind: 'certificate', service: 'shop', key: '[::1]:443' };
  const disk: Problem = { ...SICK, kind: 'disk', service: null, key: '' };
  const told = [SICK, place, disk, CRASH].reduce(
    (book, problem) => note(book, problem, [OPS], 0).book,
    {} as AlertBook,
  );
  assert.deepEqual(openIn(told, 'certificate'), [['shop', '[::1]:443']]);
  assert.deepEqual([openIn(told, 'disk'), openIn(told, 'crash')], [[['', '']], []]);
  const { book } = note(told, { ...place, state: 'over' }, [OPS], 1000);
  assert.deepEqual(openIn(tick(book, BY_NAME, 1000 + CALM_MS).book, 'certificate'), []);
});
