import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignRoles, nextJoins, type JoiningSide, type RoleTraces } from './switchover.js';

const RUNS = Number(process.env.UPKEEP_PROP_RUNS ?? 10_000);

/** Services with their instances, some of which have been let in before. */
const sides = fc.array(fc.record({ instances: fc.nat(5), joined: fc.nat(5) }), { maxLength: 4 }).map((each) =>
  each.map(({ instances, joined }, place): JoiningSide => {
    const isIn = Math.min(instances, joined);
    const waiting = Array.from({ length: instances - isIn }, (_, index) => isIn + index);
    return { service: `service-${place}`, waiting: waiting.toReversed(), joined: isIn };
  }),
);

test('new instances join in rounds: never more of a service than were asked for, none twice, none left out', () => {
  fc.assert(
    fc.property(sides, fc.nat(7), (all, count) => {
      const joins = nextJoins(all, count);
      const keys = joins.map(({ service, instance }) => `${service}.${instance}`);
      assert.equal(new Set(keys).size, keys.length);
      const inside = new Map(all.map(({ service, joined }) => [service, joined]));
      let round = 0;
      for (const { service, instance } of joins) {
        assert.ok(all.find((side) => side.service === service)!.waiting.includes(instance));
        assert.ok(inside.get(service)! >= round, 'the first of every service comes before the second of any');
        round = Math.max(round, inside.get(service)!);
        inside.set(service, inside.get(service)! + 1);
      }
      for (const { service, waiting, joined } of all)
        assert.equal(inside.get(service), Math.max(joined, Math.min(count, joined + waiting.length)));
    }),
    { numRuns: RUNS },
  );
});

test('whatever was asked for before, asking for more in the end lets in the same', () => {
  fc.assert(
    fc.property(sides, fc.array(fc.nat(7), { maxLength: 4 }), (all, counts) => {
      const joined: string[] = [];
      let now: readonly JoiningSide[] = all;
      for (const count of [...counts, Infinity]) {
        const joins = nextJoins(now, count);
        joined.push(...joins.map(({ service, instance }) => `${service}.${instance}`));
        now = now.map(({ service, waiting, joined: before }) => {
          const gone = joins.filter((join) => join.service === service).map(({ instance }) => instance);
          return {
            service,
            waiting: waiting.filter((index) => !gone.includes(index)),
            joined: before + gone.length,
          };
        });
      }
      const expected = all.flatMap(({ service, waiting }) => waiting.map((index) => `${service}.${index}`));
      assert.deepEqual(joined.toSorted(), expected.toSorted());
    }),
    { numRuns: RUNS },
  );
});

const traces = fc
  .uniqueArray(
    fc.record({
      attempt: fc.integer({ min: 1, max: 9 }),
      begunAs: fc.constantFrom('serving', 'candidate', 'instead'),
      hasServed: fc.boolean(),
      hasJoined: fc.boolean(),
    }),
    { maxLength: 5, selector: ({ attempt }) => attempt },
  )
  .map((each) => each.map((one): RoleTraces => one));

test('at most one attempt of an instance serves, and who was not let in never does', () => {
  fc.assert(
    fc.property(traces, fc.option(fc.nat(9), { nil: undefined }), (attempts, leaving) => {
      const roles = assignRoles(attempts, leaving);
      assert.equal(roles.length, attempts.length);
      assert.ok(roles.filter((role) => role === 'serving').length <= 1);
      for (const [place, { attempt, begunAs, hasServed, hasJoined }] of attempts.entries()) {
        const wasLetIn = begunAs !== 'candidate' || hasServed || hasJoined;
        assert.equal(roles[place] === 'new', !wasLetIn);
        if (leaving === undefined) continue;
        assert.notEqual(roles[place], 'joined', 'after a commit nobody is half-way');
        assert.ok(roles[place] !== 'serving' || attempt !== leaving || begunAs !== 'serving');
      }
    }),
    { numRuns: RUNS },
  );
});

/** One instance through a switchover, with a kill of the daemon at any moment. */
const lives = fc.record({
  /** The old one was restarted so often while both were there. */
  restarts: fc.nat(2),
  how: fc.constantFrom('candidate' as const, 'instead' as const),
  killedAt: fc.constantFrom('booted', 'joined', 'saved', 'exchanged', 'restarted'),
  /** The old one has gone by then. */
  isGone: fc.boolean(),
});

test('whenever a daemon is killed, one side serves as a whole: the old one before the commit is on disk, the new one after it', () => {
  fc.assert(
    fc.property(lives, ({ restarts, how, killedAt, isGone }) => {
      const guest = 2;
      const last = restarts === 0 ? 1 : guest + restarts;
      const old: RoleTraces = { attempt: last, begunAs: 'serving', hasServed: true, hasJoined: false };
      const fresh: RoleTraces = {
        attempt: guest,
        begunAs: how,
        hasServed: killedAt === 'exchanged',
        hasJoined: killedAt !== 'booted',
      };
      const isCommitted = ['saved', 'exchanged', 'restarted'].includes(killedAt);
      const successor: RoleTraces = { ...old, attempt: last + 5 };
      const now = killedAt === 'restarted' ? successor : fresh;
      const attempts = isGone && isCommitted ? [now] : [old, now];
      const roles = assignRoles(attempts, isCommitted ? last : undefined);
      assert.equal(
        roles.at(-1),
        isCommitted ? 'serving' : how === 'candidate' && killedAt === 'booted' ? 'new' : 'joined',
      );
      if (attempts.length === 2) assert.equal(roles[0], isCommitted ? 'old' : 'serving');
    }),
    { numRuns: RUNS },
  );
});
