import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GateSpec, Judgement } from './gate.js';
import { judge } from './gate.js';
import type { Look, SideLook } from './look.js';
import { instanceOf, simulate, type SimulatedSide } from './simulated-traffic.js';

const MiB = 1024 ** 2;
const SPEC: GateSpec = {
  forMs: 30_000,
  minRequests: 200,
  alpha: 0.01,
  errorRate: 'refuse',
  latency: 'refuse',
  newErrors: 'refuse',
  memory: 'refuse',
  noData: 'hold',
  holdMs: 0,
};
const FINE: SimulatedSide = { perSecond: 20, errorShare: 0.005, medianMs: 10 };

interface Course {
  readonly judgement: Judgement;
  /** When it was over, seconds. */
  readonly after: number;
}

/** Look by look, until it is decided. */
function follow(looks: readonly Look[], spec = SPEC): Course {
  for (let length = 1; length <= looks.length; length++) {
    const judgement = judge(looks.slice(0, length), { spec, stage: 'verify' });
    if (judgement.verdict !== 'continue' && judgement.verdict !== 'hold')
      return { judgement, after: length - 1 };
  }
  return { judgement: judge(looks, { spec, stage: 'verify' }), after: Infinity };
}

test('of 2000 releases that change nothing at most one in a hundred is red, over all looks', (context) => {
  const RUNS = 2000;
  let alarms = 0;
  for (let seed = 0; seed < RUNS; seed++) {
    const looks = simulate({ seed, seconds: 30, old: { ...FINE, perSecond: 40 }, new: FINE });
    const { judgement } = follow(looks);
    if (judgement.verdict === 'red') alarms++;
    else assert.equal(judgement.verdict, 'green');
  }
  context.diagnostic(`${alarms} false alarms in ${RUNS}`);
  assert.ok(alarms <= RUNS * SPEC.alpha, `${alarms} false alarms`);
});

// What is worse, in how many of 200 releases it must be red, and after how many seconds in the middle.
const WORSE: readonly (readonly [string, Partial<SimulatedSide>, least: number, seconds: number])[] = [
  ['30 % fail', { errorShare: 0.3 }, 1, 3],
  ['5 % fail', { errorShare: 0.05 }, 0.95, 20],
  ['2 % fail', { errorShare: 0.02 }, 0.1, 30],
  ['three times as slow', { medianMs: 30 }, 1, 22],
  ['half as slow again', { medianMs: 15 }, 0.9, 30],
];

test('what is worse is red, as soon and as often as it can be known', (context) => {
  const RUNS = 100;
  for (const [name, change, least, seconds] of WORSE) {
    const courses = Array.from({ length: RUNS }, (_, run) =>
      follow(
        simulate({
          seed: 7919 * run + 1,
          seconds: 30,
          old: { ...FINE, perSecond: 40 },
          new: { ...FINE, ...change },
        }),
      ),
    );
    const red = courses.filter(({ judgement }) => judgement.verdict === 'red');
    const middle = red.map(({ after }) => after).sort((a, b) => a - b)[red.length >> 1] ?? Infinity;
    context.diagnostic(`${name}: ${red.length} of ${RUNS} red, in the middle after ${middle} s`);
    assert.ok(red.length >= least * RUNS, `${name}: ${red.length} of ${RUNS}`);
    assert.ok(middle <= seconds, `${name}: after ${middle} s`);
  }
});

test('a difference of a fifth in how long things take is left alone', () => {
  const looks = simulate({
    seed: 5,
    seconds: 30,
    old: { ...FINE, perSecond: 300, sigma: 0.2 },
    new: { ...FINE, perSecond: 300, medianMs: 12, sigma: 0.2 },
  });
  const { verdict, checks } = follow(looks).judgement;
  assert.equal(verdict, 'green');
  assert.match(
    checks.find(({ name }) => name === 'latency')!.text,
    /^web: median 12 ms new, 10 ms old \(x1\.\d+\), p = \d/,
  );
});

test('figures stand in the checks: how many of how many, and how likely that is', () => {
  const [old, young] = [side({ requests: 2400, errors: 1 }), side({ requests: 240, errors: 12 })];
  const { verdict, reasons } = judge([look(0), look(1, { old, new: young })], {
    spec: SPEC,
    stage: 'verify',
  });
  assert.equal(verdict, 'red');
  assert.deepEqual(
    reasons.map(({ name, text }) => `${name}: ${text}`),
    ['error rate: web: new 12 of 240 failed (5.0 %), old 1 of 2,400 (0.04 %), p = 3e-12'],
  );
});

test('where nothing failed it is told how much could have failed unseen', () => {
  const looks = [look(0), look(31, { old: side({ requests: 9000 }), new: side({ requests: 812 }) })];
  const { verdict, checks } = judge(looks, { spec: SPEC, stage: 'verify' });
  assert.equal(verdict, 'green');
  const { text } = checks.find(({ name }) => name === 'error rate')!;
  assert.equal(text, 'web: new 0 of 812 failed, old 0 of 9,000; at most 0.37 % do (95 % sure)');
});

test('it stops at once where a fifth fails, unless the old ones fail as well', () => {
  const bad = side({ requests: 20, errors: 5 });
  const stop = judge([look(0), look(0.1, { old: side({ requests: 20 }), new: bad })], {
    spec: SPEC,
    stage: 'canary',
  });
  assert.equal(stop.verdict, 'red');
  assert.equal(stop.reasons[0]!.stage, 'canary');
  const both = judge([look(0), look(0.1, { old: side({ requests: 20, errors: 4 }), new: bad })], {
    spec: SPEC,
    stage: 'canary',
  });
  assert.equal(both.verdict, 'continue');
});

test('what is never answered has failed, where old ones answer; long polls are on both sides', () => {
  const at = (unanswered: { readonly old: number; readonly new: number }): Look[] => [
    look(0),
    look(12, {
      old: side({ requests: 400, unanswered: unanswered.old }),
      new: side({ requests: 100, unanswered: unanswered.new }),
    }),
  ];
  const hung = judge(at({ old: 0, new: 12 }), { spec: SPEC, stage: 'verify' });
  assert.equal(hung.verdict, 'red');
  assert.match(
    hung.reasons[0]!.text,
    /^web: new 12 of 112 failed .*; 12 of the new ones have had no answer for 5 s$/,
  );
  assert.equal(judge(at({ old: 48, new: 12 }), { spec: SPEC, stage: 'verify' }).verdict, 'continue');
  const all = look(7, { old: side({ requests: 400 }), new: side({ requests: 0, unanswered: 6 }) });
  assert.equal(judge([look(0), all], { spec: SPEC, stage: 'verify' }).verdict, 'red');
  const alone = look(7, { old: side(), new: side({ requests: 10, unanswered: 90 }) });
  assert.equal(judge([look(0), alone], { spec: SPEC, stage: 'bake' }).verdict, 'continue');
});

test('what breaks after an hour of good service is seen within its next seconds', () => {
  const good = Array.from({ length: 3600 }, (_, at) =>
    look(at, { old: side({ requests: 100 }), new: side({ requests: 100 }) }),
  );
  const bad = look(3600, { old: side({ requests: 100 }), new: side({ requests: 1000, errors: 800 }) });
  const spec = { ...SPEC, forMs: 7_200_000 };
  assert.equal(judge([...good, bad], { spec, stage: 'bake' }).verdict, 'red');
});

test('without enough requests it holds, and then there is no data', () => {
  const spec = { ...SPEC, holdMs: 10_000 };
  const few = (seconds: number): Look[] => [
    look(0),
    look(seconds, { old: side({ requests: 50 }), new: side({ requests: 5 }) }),
  ];
  const verdicts = [29, 30, 39, 40].map((seconds) => judge(few(seconds), { spec, stage: 'verify' }).verdict);
  assert.deepEqual(verdicts, ['continue', 'hold', 'hold', 'no-data']);
  const smoke = judge(few(30), { spec: { ...spec, noData: 'smoke' }, stage: 'verify' });
  assert.equal(smoke.verdict, 'no-data');
  assert.equal(
    smoke.reasons[0]!.text,
    'web: 5 requests to the new instances, 50 to the old ones; 200 are needed to judge',
  );
});

test('new instances that nothing reaches are no pass, although the old ones are busy', () => {
  const looks = [look(0), look(31, { old: side({ requests: 9000 }), new: side({ requests: null }) })];
  assert.equal(judge(looks, { spec: SPEC, stage: 'verify' }).verdict, 'no-data');
});

test('a worker beside a service that is asked does not keep it from being judged; alone it is no data', () => {
  const worker = { old: side({ requests: null }), new: side({ requests: null }), kinds: [] };
  const web = { old: side({ requests: 900 }), new: side({ requests: 300 }), kinds: [] };
  const at = (services: Look['services']): Look[] => [look(0), { atMs: 31_000, services }];
  assert.equal(judge(at({ web, worker }), { spec: SPEC, stage: 'verify' }).verdict, 'green');
  assert.equal(judge(at({ worker }), { spec: SPEC, stage: 'verify' }).verdict, 'no-data');
});

test('a leak is red with its pace; a warned rule is told and no more', () => {
  const leaking = (at: number): Partial<SideLook> => ({
    requests: 20,
    instances: [instanceOf({ rssBytes: (60 + 50 * at) * MiB })],
  });
  const old = side({ requests: 20, instances: [instanceOf({ rssBytes: 70 * MiB })] });
  const looks = Array.from({ length: 20 }, (_, at) => look(at, { old, new: side(leaking(at)) }));
  const { judgement, after } = follow(looks);
  assert.equal(judgement.verdict, 'red');
  assert.ok(after <= 6, `after ${after} s`);
  assert.match(
    judgement.reasons[0]!.text,
    /^web\.0, new, grew from \d+\.?\d* MB to \d+ MB within 4s \(50\.0 MB a second\) and goes on; old ones 70\.0 MB at most$/,
  );
  const warned = judge(looks, { spec: { ...SPEC, memory: 'warn' }, stage: 'verify' });
  assert.equal(warned.verdict, 'continue');
  assert.ok(warned.checks.some(({ name, verdict }) => name === 'memory' && verdict === 'warned'));
});

test('new kinds of errors are told with title, first line and count; what old ones say as well only warns', () => {
  const kind = {
    id: 'v1:3f2a',
    title: 'TypeError: x is not a function',
    count: 3,
    firstLine: 'at pay (pay.js:4:2)',
  };
  const judged = (by: 'new' | 'both'): Judgement =>
    judge([look(0), look(1, {}, [{ ...kind, by }])], { spec: SPEC, stage: 'verify' });
  assert.equal(judged('new').verdict, 'red');
  assert.deepEqual(judged('new').reasons, [
    {
      stage: 'verify',
      name: 'new errors',
      verdict: 'failed',
      text: 'web: TypeError: x is not a function, at pay (pay.js:4:2), 3 times',
      hint: 'upkeep errors show v1:3f2a',
      kind: 'v1:3f2a',
    },
  ]);
  assert.equal(judged('both').verdict, 'continue');
  assert.ok(
    judged('both').checks.some(
      ({ verdict, text }) => verdict === 'warned' && text.endsWith('3 times, of old and new instances'),
    ),
  );
});

function side(seen: Partial<SideLook> = {}): SideLook {
  return { requests: 0, errors: 0, unanswered: 0, medianMs: null, instances: [instanceOf()], ...seen };
}

function look(
  seconds: number,
  { old = side(), new: young = side() }: { readonly old?: SideLook; readonly new?: SideLook } = {},
  kinds: Look['services'][string]['kinds'] = [],
): Look {
  return { atMs: seconds * 1000, services: { web: { old, new: young, kinds } } };
}
