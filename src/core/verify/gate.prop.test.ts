import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judge, type GateSpec, type Judgement } from './gate.js';
import type { InstanceLook, Look, NewErrorKind, ServiceLook, SideLook } from './look.js';
import { instanceOf } from './simulated-traffic.js';

const count = fc.nat(60);
const instance: fc.Arbitrary<InstanceLook> = fc.record({
  name: fc.constantFrom('0', '1'),
  rssBytes: fc.option(fc.integer({ min: 50e6, max: 500e6 })),
  restarts: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1),
  ended: fc.constantFrom(null, null, null, null, null, null, null, null, 'exit code 1'),
});
const side: fc.Arbitrary<SideLook> = fc
  .record({
    requests: fc.option(count, { freq: 6 }),
    share: fc.constantFrom(0, 0, 0, 0.02, 0.5),
    unanswered: fc.constantFrom(0, 0, 0, 0, 0, 3, 40),
    medianMs: fc.option(fc.integer({ min: 1, max: 400 })),
    instances: fc.array(instance, { maxLength: 2 }),
  })
  .map(({ share, ...rest }) => ({ ...rest, errors: Math.floor((rest.requests ?? 0) * share) }));
const kind: fc.Arbitrary<NewErrorKind> = fc.record({
  id: fc.constantFrom('v1:aa', 'v1:bb'),
  title: fc.constantFrom('TypeError: x', 'Error: y'),
  count: fc.integer({ min: 1, max: 9 }),
  firstLine: fc.option(fc.constant('at load (db.js:10)')),
  by: fc.constantFrom('new', 'old', 'both', 'unknown'),
});
const service: fc.Arbitrary<ServiceLook> = fc.record({
  old: side,
  new: side,
  kinds: fc.array(kind, { maxLength: 1 }).map((kinds) => kinds.filter((one) => one.count > 7)),
});
const histories: fc.Arbitrary<Look[]> = fc
  .array(fc.record({ web: service, jobs: service }), { minLength: 1, maxLength: 40 })
  .map((looks) => looks.map((services, at) => ({ atMs: at * 1000, services })));
const action = fc.constantFrom('refuse' as const, 'warn' as const, 'ignore' as const);
const specs: fc.Arbitrary<GateSpec> = fc.record({
  forMs: fc.integer({ min: 1, max: 30_000 }),
  minRequests: fc.nat(300),
  alpha: fc.constant(0.01),
  errorRate: action,
  latency: action,
  newErrors: action,
  memory: action,
  noData: fc.constantFrom('hold' as const, 'smoke' as const),
  holdMs: fc.nat(20_000),
});
const parameters = { numRuns: 300 };

test('it is never green without data, before its time, or with anything wrong', () => {
  fc.assert(
    fc.property(histories, specs, (looks, spec) => {
      const { verdict, checks } = judge(looks, { spec, stage: 'verify' });
      if (verdict !== 'green') return;
      assert.ok(looks.at(-1)!.atMs >= spec.forMs);
      assert.ok(checks.every((check) => check.verdict !== 'failed'));
      const asked = names(looks).filter((name) => isCounted(looks, name));
      assert.ok(asked.length > 0, 'nothing was counted at all');
      for (const name of asked) assert.ok(requestsOf(looks, name) >= Math.max(1, spec.minRequests), name);
    }),
    parameters,
  );
});

test('an end or a restart of a new instance is red at once, whatever else', () => {
  fc.assert(
    fc.property(histories, specs, (looks, spec) => {
      const { verdict, reasons } = judge(looks, { spec, stage: 'verify' });
      const fallen = names(looks).flatMap((name) =>
        looks.at(-1)!.services[name]!.new.instances.filter((one) => one.restarts > 0 || one.ended !== null),
      );
      if (fallen.length > 0) assert.equal(verdict, 'red');
      assert.equal(
        verdict === 'red',
        reasons.some((reason) => reason.verdict === 'failed'),
      );
      const told = reasons.filter(({ name }) => name === 'restarts');
      assert.equal(told.length, fallen.length);
    }),
    parameters,
  );
});

test('a new kind of error of new instances is red where it is refused, and never red where it is not', () => {
  fc.assert(
    fc.property(histories, specs, (looks, spec) => {
      const { reasons, checks } = judge(looks, { spec, stage: 'verify' });
      const kinds = names(looks).flatMap((name) => looks.at(-1)!.services[name]!.kinds);
      const ours = kinds.filter(({ by }) => by === 'new' || by === 'unknown');
      const red = reasons.filter(({ name }) => name === 'new errors');
      assert.equal(red.length, spec.newErrors === 'refuse' ? ours.length : 0);
      for (const { title } of spec.newErrors === 'ignore' ? [] : kinds)
        assert.ok(checks.some(({ text }) => text.includes(title)));
    }),
    parameters,
  );
});

test('more failures of new instances never make it better', () => {
  const rank: readonly Judgement['verdict'][] = ['green', 'continue', 'hold', 'no-data', 'red'];
  fc.assert(
    fc.property(histories, specs, fc.nat(39), (looks, spec, which) => {
      const index = which % looks.length;
      const worse = looks.map((look, at) => (at === index ? withFailures(look) : look));
      const [before, after] = [looks, worse].map((each) => judge(each, { spec, stage: 'verify' }).verdict);
      assert.ok(rank.indexOf(after!) >= rank.indexOf(before!), `${before} became ${after}`);
    }),
    parameters,
  );
});

test('what only old instances do is never held against the new ones', () => {
  fc.assert(
    fc.property(histories, (looks) => {
      const spec: GateSpec = { ...STRICT, latency: 'ignore', forMs: 1e9 };
      const calm = looks.map(({ atMs, services }) => ({
        atMs,
        services: { web: { ...services.web!, new: CALM, kinds: [] } },
      }));
      assert.notEqual(judge(calm, { spec, stage: 'verify' }).verdict, 'red');
    }),
    parameters,
  );
});

const STRICT: GateSpec = {
  forMs: 30_000,
  minRequests: 200,
  alpha: 0.01,
  errorRate: 'refuse',
  latency: 'refuse',
  newErrors: 'refuse',
  memory: 'refuse',
  noData: 'hold',
  holdMs: 60_000,
};
const CALM: SideLook = { requests: 50, errors: 0, unanswered: 0, medianMs: 10, instances: [instanceOf()] };

function names(looks: readonly Look[]): string[] {
  return Object.keys(looks.at(-1)!.services);
}

function isCounted(looks: readonly Look[], name: string): boolean {
  return looks.some(
    ({ services }) => services[name]!.new.requests !== null || services[name]!.old.requests !== null,
  );
}

function requestsOf(looks: readonly Look[], name: string): number {
  return looks.reduce((sum, { services }) => sum + (services[name]!.new.requests ?? 0), 0);
}

/** What was fine of the requests of `web` fails. */
function withFailures(look: Look): Look {
  const { web, ...others } = look.services;
  const young = { ...web!.new, errors: web!.new.requests ?? 0 };
  return { ...look, services: { ...others, web: { ...web!, new: young } } };
}
