import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReleaseCheck, VerifySpec } from '../../protocol/index.js';
import type { SideView } from '../../supervisor/index.js';
import { askErrors } from './boot-errors.js';
import { counts, HastyClock, kind, MadeUpErrors, MadeUpSwitchover, view } from './made-up-switchover.js';
import { askSmoke } from './smoke.js';
import { watchRelease, type WatchOptions, type WatchOutcome } from './watch-release.js';

const SPEC: VerifySpec = {
  smoke: [],
  stableMs: 0,
  canary: null,
  forMs: 30_000,
  bakeMs: 10_000,
  minRequests: 200,
  alpha: 0.01,
  errorRate: 'refuse',
  latency: 'refuse',
  newErrors: 'refuse',
  memory: 'refuse',
  noData: 'hold',
  holdMs: 0,
};
const SMOKE = { service: 'web', check: { port: 3000 } as never, timeoutMs: 500 };

interface Watched {
  readonly outcome: WatchOutcome;
  readonly switchover: MadeUpSwitchover;
  readonly errors: MadeUpErrors;
  readonly checks: readonly ReleaseCheck[];
}

interface Wish {
  readonly spec?: Partial<VerifySpec>;
  readonly stage?: WatchOptions['stage'];
  readonly views?: (look: number) => readonly SideView[];
  readonly prepare?: (switchover: MadeUpSwitchover, errors: MadeUpErrors) => void;
}

/** 50 requests a second to either side, where nothing else is said. */
async function watch({ spec, stage = 'verify', views = fine, prepare }: Wish = {}): Promise<Watched> {
  const [switchover, errors] = [new MadeUpSwitchover(views), new MadeUpErrors()];
  prepare?.(switchover, errors);
  let checks: readonly ReleaseCheck[] = [];
  const outcome = await watchRelease({
    spec: { ...SPEC, ...spec },
    stage,
    switchover,
    errors,
    since: 1234,
    clock: new HastyClock(),
    signal: new AbortController().signal,
    onChecks: (seen) => (checks = seen),
  });
  return { outcome, switchover, errors, checks };
}

function fine(look: number): SideView[] {
  return [view({ counts: counts(9000 + 50 * look) }), view({ side: 'new', counts: counts(50 * look) })];
}

test('what is as good as before is green when its time is over, with all its checks', async () => {
  const { outcome, switchover, errors, checks } = await watch();
  assert.equal(outcome, 'green');
  assert.equal(switchover.looks, 31);
  assert.deepEqual(
    [...new Set(checks.map(({ name }) => name))],
    ['requests', 'error rate', 'latency', 'memory', 'restarts', 'new errors'],
  );
  assert.ok(checks.every(({ verdict, stage }) => verdict === 'passed' && stage === 'verify'));
  assert.deepEqual(errors.asked[0], { since: 1234, withMuted: false });
});

test('failing requests are red within seconds', async () => {
  const { outcome, switchover } = await watch({
    views: (look) => [
      view({ counts: counts(50 * look) }),
      view({ side: 'new', counts: counts(50 * look, 15 * look) }),
    ],
  });
  assert.deepEqual(texts(outcome), ['web: new 15 of 50 failed (30.0 %), old 0 of 50, in the last 10 s']);
  assert.equal(switchover.looks, 2);
});

test('who falls is told at once, in the words of who saw it', async () => {
  const { outcome } = await watch({
    prepare: (switchover) => setImmediate(() => switchover.fall('web.0, new, crashed: TypeError: x')),
  });
  assert.deepEqual(texts(outcome), ['web.0, new, crashed: TypeError: x']);
});

test("a new kind of error is the release's by who wrote it, else by when", async () => {
  const sample = {
    at: new Date(0).toISOString(),
    instance: 0,
    attempt: 2,
    stream: 'err' as const,
    before: [],
    lines: ['TypeError: x is not a function', '    at pay (/srv/pay.js:4:2)', '    at next (/srv/a.js:1:1)'],
    omitted: 0,
  };
  const by = async (attempts: readonly number[], change = {}): Promise<Watched> =>
    watch({
      prepare: (_, errors) => {
        const told = attempts.map((attempt) => ({ instance: 0, attempt, count: 1 }));
        errors.kinds = [kind({ attempts: told, sample, ...change })];
      },
    });
  const text = 'web: TypeError: x is not a function, at pay (/srv/pay.js:4:2), 3 times';
  assert.deepEqual(texts((await by([2])).outcome), [text]);
  assert.deepEqual(texts((await by([])).outcome), [text]);
  for (const attempts of [[1], [1, 2]]) {
    const { outcome, checks } = await by(attempts);
    assert.equal(outcome, 'green');
    assert.ok(checks.some(({ verdict, name }) => name === 'new errors' && verdict === 'warned'));
  }
  const json = {
    ...sample,
    lines: ['{"level":50,"err":{"stack":"Error: a\\n    at db (db.js:1:2)\\n    at b"}}'],
  };
  assert.match(texts((await by([2], { sample: json })).outcome)[0]!, /, at db \(db\.js:1:2\), 3/);
  assert.match(texts((await by([2], { sample: null })).outcome)[0]!, /, at pay\.js:4, 3/);
});

test('before there is traffic, only what new instances are known to have written is judged, by the rules of the gate', async () => {
  const ask = async (
    attempts: readonly number[],
    { newErrors = 'refuse', known = false, refused = false, views = fine(0) }: AskWish = {},
  ): Promise<string[]> => {
    const [switchover, errors] = [new MadeUpSwitchover(() => views), new MadeUpErrors()];
    const told = attempts.map((attempt) => ({ instance: 0, attempt, count: 1 }));
    errors.kinds = [kind({ attempts: told, isNew: !known })];
    const refusedKinds = new Set(refused ? [errors.kinds[0]!.id] : []);
    const checks = await askErrors({ spec: { newErrors }, switchover, errors, since: 1234, refusedKinds });
    assert.ok(checks.every(({ stage, name }) => stage === 'boot' && name === 'new errors'));
    if (checks.length > 0) assert.deepEqual(errors.awaited, ['web.0 2']);
    return checks.map(({ verdict, text }) => `${verdict} ${text}`);
  };
  const text = 'web: TypeError: x is not a function, at pay.js:4, 3 times';
  assert.deepEqual(await ask([2]), [`failed ${text}`]);
  assert.deepEqual(await ask([2], { newErrors: 'warn' }), [`warned ${text}`]);
  assert.deepEqual(await ask([2], { newErrors: 'ignore' }), []);
  assert.deepEqual(await ask([1, 2]), [`warned ${text}, of old and new instances`]);
  for (const attempts of [[], [1], [7]])
    assert.deepEqual(await ask(attempts), ['passed web: no new kind of error']);
  assert.deepEqual(await ask([2], { known: true, refused: true }), [`failed ${text}`]);
  assert.deepEqual(await ask([1], { views: [view()] }), [], 'there is no new one yet');
});

interface AskWish {
  readonly newErrors?: VerifySpec['newErrors'];
  readonly known?: boolean;
  readonly refused?: boolean;
  readonly views?: readonly SideView[];
}

test('a password in the title of an error does not get into a check', async () => {
  const { outcome } = await watch({
    prepare: (_, errors) =>
      (errors.kinds = [kind({ title: 'Error: cannot reach postgres://app:hunter2@db/shop' })]),
  });
  assert.deepEqual(texts(outcome), [
    'web: Error: cannot reach postgres://app:[hidden]@db/shop, at pay.js:4, 3 times',
  ]);
});

test('without data it holds, and then says so; smoke checks may stand in, and none are no pass', async () => {
  const views = (look: number): SideView[] => [
    view({ counts: counts(look) }),
    view({ side: 'new', counts: counts(0) }),
  ];
  const held = await watch({ views, spec: { holdMs: 10_000 } });
  assert.equal(held.switchover.looks, 41);
  assert.match(
    texts(held.outcome)[0]!,
    /^web: 0 requests to the new instances, 40 to the old ones; 200 are needed/,
  );
  const byNothing = await watch({ views, spec: { noData: 'smoke' } });
  assert.ok(typeof byNothing.outcome === 'object' && 'noData' in byNothing.outcome);
  const bySmoke = await watch({ views, spec: { noData: 'smoke', smoke: [SMOKE] } });
  assert.equal(bySmoke.outcome, 'green');
  assert.deepEqual(bySmoke.switchover.asked, ['web.0 within 500 ms']);
});

test('figures that are fine are no pass where the smoke check is not', async () => {
  const { outcome } = await watch({
    spec: { smoke: [SMOKE] },
    prepare: (switchover) => (switchover.smokeAnswer = { isSuccess: false, detail: 'GET /smoke: 500' }),
  });
  assert.deepEqual(texts(outcome), ['web.0, new: GET /smoke: 500']);
});

test('who serves already may be stopped by a person, and is not asked then', async () => {
  const views = (): SideView[] => [view({ side: 'new', pid: null, takesTraffic: false })];
  const { outcome, switchover, checks } = await watch({ stage: 'bake', views, spec: { smoke: [SMOKE] } });
  assert.deepEqual([outcome, switchover.asked], ['green', []]);
  assert.equal(checks.find(({ name }) => name === 'smoke')?.verdict, 'unknown');
});

test('what hangs in a bake is found by its smoke check, asked twice in vain', async () => {
  const { outcome, switchover } = await watch({
    stage: 'bake',
    views: () => [view({ side: 'new' })],
    spec: { smoke: [SMOKE], bakeMs: 3_600_000 },
    prepare: (made) =>
      (made.smokeAnswer = { isSuccess: false, detail: 'GET /smoke: no answer within 500ms' }),
  });
  assert.deepEqual(texts(outcome), ['web.0, new: GET /smoke: no answer within 500ms']);
  assert.equal(switchover.asked.length, 2);
  assert.ok(switchover.looks < 60, `${switchover.looks} looks`);
});

test('nobody is there to ask: a failure, but where new ones come when the old ones have gone', async () => {
  const switchover = new MadeUpSwitchover(() => [view()]);
  const ask = () => askSmoke({ smoke: [SMOKE], stage: 'boot', switchover });
  assert.deepEqual(
    (await ask()).map(({ verdict }) => verdict),
    ['failed'],
  );
  switchover.noneYet = 'it opens its ports by itself';
  assert.deepEqual(
    (await ask()).map(({ verdict }) => verdict),
    ['unknown'],
  );
});

test('a bake needs no requests, and sees a fall all the same', async () => {
  const views = (): SideView[] => [view({ side: 'new', counts: counts(0) })];
  assert.equal((await watch({ views, stage: 'bake' })).outcome, 'green');
  const stopped = (look: number): SideView[] => [
    view({ side: 'new', ended: look > 3 ? 'stopped by ada' : null }),
  ];
  assert.equal((await watch({ views: stopped, stage: 'bake' })).outcome, 'green', 'on request');
  const fallen = await watch({
    views,
    stage: 'bake',
    prepare: (switchover) => setImmediate(() => switchover.fall('web.0: exit code 1')),
  });
  assert.deepEqual(texts(fallen.outcome), ['web.0: exit code 1']);
});

test('while both serve, an instance that has ended is red by the look alone', async () => {
  const views = (look: number): SideView[] => [view({ side: 'new', ended: look > 3 ? 'exit code 1' : null })];
  assert.deepEqual(texts((await watch({ views })).outcome), ['web.0, new, has ended: exit code 1']);
});

test('it ends when it is told to', async () => {
  const stop = new AbortController();
  const reason = new Error('somebody wants it to end');
  const watching = watchRelease({
    spec: SPEC,
    stage: 'verify',
    switchover: new MadeUpSwitchover((look) => {
      if (look === 3) stop.abort(reason);
      return fine(look);
    }),
    errors: new MadeUpErrors(),
    since: 0,
    clock: new HastyClock(),
    signal: stop.signal,
    onChecks: () => undefined,
  });
  await assert.rejects(watching, reason);
});

function texts(outcome: WatchOutcome): string[] {
  assert.ok(outcome !== 'green');
  return ('red' in outcome ? outcome.red : outcome.noData).map(({ text }) => text);
}
